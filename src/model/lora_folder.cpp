// The files of a PEFT adapter: https://huggingface.co/docs/peft/developer_guides/checkpoint
#include <cmath>
#include <set>

#include "core/json.h"
#include "model/adapter_names.h"
#include "model/lora.h"
#include "model/model_folder.h"

namespace agro {
namespace {

constexpr const char* kConfig = "adapter_config.json";
constexpr const char* kTensors = "adapter_model.safetensors";

/// Settings of PEFT that change what an adapter computes, and their value where they do not.
void check_plain(const Json& config) {
  if (config.value("peft_type", "") != "LORA")
    throw fail("peft_type must be LORA, found '{}'", config.value("peft_type", ""));
  if (config.value("bias", "none") != "none") throw Error("adapters with biases are not supported");
  for (const char* key : {"use_dora", "use_qalora", "lora_bias"})
    if (config.contains(key) && config[key] == true) throw fail("{} is not supported", key);
  for (const char* key : {"modules_to_save", "rank_pattern", "alpha_pattern", "trainable_token_indices"})
    if (config.contains(key) && !config[key].empty()) throw fail("{} is not supported", key);
}

double scale_of(const Json& config) {
  const double rank = config.at("r").get<double>(), alpha = config.at("lora_alpha").get<double>();
  if (!(rank >= 1) || !std::isfinite(alpha)) throw fail("r must be at least 1, found {}", rank);
  return config.value("use_rslora", false) ? alpha / std::sqrt(rank) : alpha / rank;
}

double read_scale(const Path& path) {
  const Json config = read_json(path);
  try {
    check_plain(config);
    return scale_of(config);
  } catch (const Json::exception& error) {
    throw fail("is not an adapter's configuration: {}", error.what()).at(path.string());
  } catch (Error& error) {
    throw std::move(error).at(path.string());
  }
}

/// "model.layers.0.self_attn.q_proj" of "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"; empty where
/// the name is not of that form.
std::string module_of(std::string_view name, std::string_view suffix) {
  if (!name.starts_with(kAdapterPrefix) || !name.ends_with(suffix)) return {};
  name.remove_prefix(kAdapterPrefix.size());
  name.remove_suffix(suffix.size());
  return std::string(name);
}

/// The first part, of whose rank and scale all others must be: an adapter's configuration has one of each.
const LowRank& first_low_rank(const CausalLm& model) {
  const LowRank* first = nullptr;
  for (const LinearWeight* w : model.linears()) {
    if (!w->low_rank) continue;
    if (first == nullptr) first = &*w->low_rank;
    if (w->low_rank->rank() != first->rank() || w->low_rank->scale != first->scale)
      throw Error("low-rank parts of different rank or scale do not fit into one adapter").at(w->name);
  }
  if (first == nullptr) throw Error("the model has no low-rank parts to write");
  return *first;
}

/// Short names where all layers of that name have a part, as PEFT takes them for all; full names of the others.
std::set<std::string> target_modules(const CausalLm& model) {
  std::set<std::string_view> incomplete;
  for (const LinearWeight* w : model.linears())
    if (!w->low_rank) incomplete.insert(short_name(w->name));
  std::set<std::string> targets;
  for (const LinearWeight* w : model.linears())
    if (w->low_rank) targets.emplace(incomplete.contains(short_name(w->name)) ? w->name : short_name(w->name));
  return targets;
}

}  // namespace

void write_adapter(const Path& folder, const CausalLm& model, const std::string& base_model) {
  const std::vector<NamedTensor> parts = model.low_rank_parameters();
  const LowRank& first = first_low_rank(model);
  const int64_t rank = first.rank();
  const double scale = first.scale;
  OrderedJson config;
  config["peft_type"] = "LORA";
  config["task_type"] = "CAUSAL_LM";
  config["base_model_name_or_path"] = base_model;
  config["r"] = rank;
  // PEFT's default rule is scale = lora_alpha / r.
  const double alpha = scale * static_cast<double>(rank);
  config["lora_alpha"] = alpha == std::floor(alpha) ? OrderedJson(static_cast<int64_t>(alpha)) : OrderedJson(alpha);
  config["lora_dropout"] = 0.0;
  config["target_modules"] = target_modules(model);
  config["fan_in_fan_out"] = model.config().family == ModelFamily::kGpt2;
  config["bias"] = "none";
  config["inference_mode"] = true;
  config["init_lora_weights"] = true;
  replace_folder_atomically(folder, [&](const Path& target) {
    std::vector<TensorToWrite> tensors;
    for (const NamedTensor& part : parts) tensors.push_back(to_write(part.name, part.tensor, Dtype::kF32));
    write_safetensors(target / kTensors, tensors);
    write_atomically(target / kConfig, config.dump(2) + "\n");
  });
}

void read_adapter(const Path& folder, CausalLm& model) {
  const double scale = read_scale(folder / kConfig);
  const SafetensorsFile file(folder / kTensors);
  const at::TensorOptions options = model.activation_options();
  const auto tensor = [&](const std::string& name) {
    return to_tensor(file.get(name), c10::typeMetaToScalarType(options.dtype())).to(options.device());
  };
  try {
    for (const std::string& name : file.names()) {
      if (!module_of(name, kBSuffix).empty()) continue;
      const std::string module = module_of(name, kASuffix);
      if (module.empty()) throw fail("tensor '{}' is not part of a LoRA adapter for linear layers", name);
      LowRank part;
      part.a = tensor(name);
      part.b = tensor(fmt::format("{}{}{}", kAdapterPrefix, module, kBSuffix));
      part.scale = scale;
      model.set_low_rank(module, std::move(part));
    }
    if (model.low_rank_parameters().size() != file.names().size())
      throw fail("has {} tensors, of which {} belong together", file.names().size(),
                 model.low_rank_parameters().size());
  } catch (Error& error) {
    throw std::move(error).at((folder / kTensors).string());
  }
}

}  // namespace agro
