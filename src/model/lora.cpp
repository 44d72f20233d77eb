#include "model/lora.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/rng.h"
#include "core/stable_hash.h"
#include "model/adapter_names.h"

namespace agro {
namespace {

/// PEFT's rule: the whole name, or its end from a dot on.
bool names(std::string_view target, std::string_view module) {
  return module == target || (module.ends_with(target) && module[module.size() - target.size() - 1] == '.');
}

void check_targets(const CausalLm& model, const std::vector<std::string>& targets) {
  for (const std::string& target : targets) {
    std::vector<std::string_view> known;
    bool found = false;
    for (const LinearWeight* w : model.linears()) {
      found = found || (!target.empty() && names(target, w->name));
      if (std::find(known.begin(), known.end(), short_name(w->name)) == known.end())
        known.push_back(short_name(w->name));
    }
    if (!found)
      throw fail("lora.targets: the model has no linear layer '{}'", target)
          .hint(fmt::format("its layers have {}", fmt::join(known, ", ")));
  }
}

Tensor uniform_matrix(const std::string& name, int64_t rows, int64_t columns, double bound, uint64_t seed) {
  Tensor matrix = torch::empty({rows, columns}, torch::kFloat32);
  auto* out = write_pointer<float>(matrix);
  const uint64_t ordinal = fnv1a(name);
  for (int64_t i = 0; i < matrix.numel(); ++i) {
    const DrawKey key{seed, Stream::kInit, ordinal, static_cast<uint32_t>(i >> 32), static_cast<uint32_t>(i)};
    out[i] = static_cast<float>(bound * (2 * uniform01(key) - 1));
  }
  return matrix;
}

}  // namespace

void LoraConfig::visit(ConfigVisitor& v) {
  v.field(
      "rank", rank, {.min = 0, .max = 65536},
      "Rank of the adapters: the model's weights stay as they are and low-rank additions to them are trained. 0: no "
      "adapters, all weights are trained.");
  v.field("alpha", alpha, {.min = 0, .max = 1e6}, "The additions are scaled by alpha / rank.");
  v.field(
      "targets", targets,
      "Linear layers with an adapter: q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj; c_attn, c_proj, "
      "c_fc for GPT-2. Empty: all linear layers of the blocks.");
}

void add_lora(CausalLm& model, const LoraConfig& config, uint64_t seed) {
  if (config.rank < 1) throw fail("lora.rank must be at least 1, found {}", config.rank);
  check_targets(model, config.targets);
  const at::TensorOptions options = model.activation_options();
  struct Layer {
    std::string name;
    int64_t in, out;
  };
  std::vector<Layer> chosen;
  for (const LinearWeight* w : model.linears())
    if (config.targets.empty() || std::any_of(config.targets.begin(), config.targets.end(),
                                              [&](const std::string& target) { return names(target, w->name); }))
      chosen.push_back({w->name, w->in_features(), w->out_features()});
  for (const Layer& layer : chosen) {
    LowRank part;
    part.a = uniform_matrix(layer.name + ".lora_A", config.rank, layer.in, 1 / std::sqrt(static_cast<double>(layer.in)),
                            seed)
                 .to(options);
    part.b = torch::zeros({layer.out, config.rank}, options);
    part.scale = config.alpha / static_cast<double>(config.rank);
    model.set_low_rank(layer.name, std::move(part));
  }
}

void merge_low_rank(CausalLm& model) {
  const torch::NoGradGuard no_grad;
  for (const LinearWeight* w : model.linears())
    if (w->low_rank) Tensor(w->weight).set_data(merged_weight(*w).to(w->weight.scalar_type()));
  model.remove_low_rank();
}

}  // namespace agro
