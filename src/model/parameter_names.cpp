#include "model/parameter_names.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"

namespace agro {
namespace {

constexpr std::string_view kOutputWeight = "lm_head.weight";

std::string_view base_prefix(const ModelConfig& config) {
  return config.family == ModelFamily::kGpt2 ? "transformer." : "model.";
}

/// Collects specs under a common prefix.
class SpecList {
 public:
  explicit SpecList(std::string_view base) : base_(base) {}
  void in_module(std::string module) { module_ = std::move(module); }
  void add(std::string_view name, std::vector<int64_t> shape) {
    specs_.push_back({fmt::format("{}{}{}", base_, module_, name), std::move(shape)});
  }
  /// A linear layer, [out, in] plus a bias [out].
  void add_linear(std::string_view name, int64_t out, int64_t in, bool bias) {
    add(fmt::format("{}.weight", name), {out, in});
    if (bias) add(fmt::format("{}.bias", name), {out});
  }
  /// GPT-2's Conv1D, a linear layer stored transposed.
  void add_conv1d(std::string_view name, int64_t in, int64_t out) {
    add(fmt::format("{}.weight", name), {in, out});
    add(fmt::format("{}.bias", name), {out});
  }
  void add_layer_norm(std::string_view name, int64_t size) {
    add(fmt::format("{}.weight", name), {size});
    add(fmt::format("{}.bias", name), {size});
  }
  void add_output(const ModelConfig& config) {
    if (!config.tie_word_embeddings)
      specs_.push_back({std::string(kOutputWeight), {config.vocab_size, config.hidden_size}});
  }
  std::vector<ParameterSpec> take() { return std::move(specs_); }

 private:
  std::string_view base_;
  std::string module_;
  std::vector<ParameterSpec> specs_;
};

void add_gpt2(const ModelConfig& config, SpecList& list) {
  const int64_t hidden = config.hidden_size, inner = config.intermediate_size;
  list.add("wte.weight", {config.vocab_size, hidden});
  list.add("wpe.weight", {config.max_position_embeddings, hidden});
  for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer) {
    list.in_module(fmt::format("h.{}.", layer));
    list.add_layer_norm("ln_1", hidden);
    list.add_conv1d("attn.c_attn", hidden, 3 * hidden);
    list.add_conv1d("attn.c_proj", hidden, hidden);
    list.add_layer_norm("ln_2", hidden);
    list.add_conv1d("mlp.c_fc", hidden, inner);
    list.add_conv1d("mlp.c_proj", inner, hidden);
  }
  list.in_module("");
  list.add_layer_norm("ln_f", hidden);
}

void add_llama_like(const ModelConfig& config, SpecList& list) {
  const int64_t hidden = config.hidden_size, inner = config.intermediate_size;
  const int64_t query = config.num_attention_heads * config.head_dim;
  const int64_t key_value = config.num_key_value_heads * config.head_dim;
  list.add("embed_tokens.weight", {config.vocab_size, hidden});
  for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer) {
    list.in_module(fmt::format("layers.{}.", layer));
    list.add_linear("self_attn.q_proj", query, hidden, config.attention_bias);
    list.add_linear("self_attn.k_proj", key_value, hidden, config.attention_bias);
    list.add_linear("self_attn.v_proj", key_value, hidden, config.attention_bias);
    list.add_linear("self_attn.o_proj", hidden, query, config.attention_output_bias);
    if (config.qk_norm) {
      list.add("self_attn.q_norm.weight", {config.head_dim});
      list.add("self_attn.k_norm.weight", {config.head_dim});
    }
    list.add_linear("mlp.gate_proj", inner, hidden, config.mlp_bias);
    list.add_linear("mlp.up_proj", inner, hidden, config.mlp_bias);
    list.add_linear("mlp.down_proj", hidden, inner, config.mlp_bias);
    list.add("input_layernorm.weight", {hidden});
    list.add("post_attention_layernorm.weight", {hidden});
  }
  list.in_module("");
  list.add("norm.weight", {hidden});
}

/// Old checkpoints carry constants that the model computes itself.
bool is_buffer(const ModelConfig& config, std::string_view name) {
  if (config.family == ModelFamily::kGpt2) return name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias");
  return name.ends_with("rotary_emb.inv_freq");
}

/// "'a', 'b', 'c' and 7 more".
std::string some_of(const std::vector<std::string>& names) {
  constexpr size_t kShown = 3;
  const std::span shown = std::span(names).first(std::min(names.size(), kShown));
  const std::string text = fmt::format("'{}'", fmt::join(shown, "', '"));
  return names.size() <= kShown ? text : fmt::format("{} and {} more", text, names.size() - kShown);
}

void check_shape(const ParameterSpec& spec, const std::string& stored_name, const std::vector<int64_t>& found) {
  if (found != spec.shape)
    throw fail("tensor '{}' has the wrong shape: expected {}, found {}", stored_name, shape_text(spec.shape),
               shape_text(found))
        .hint("config.json and the weights do not belong together");
}

}  // namespace

std::string_view output_weight_name() { return kOutputWeight; }

std::string_view embedding_weight_name(const ModelConfig& config) {
  return config.family == ModelFamily::kGpt2 ? "transformer.wte.weight" : "model.embed_tokens.weight";
}

std::vector<ParameterSpec> expected_parameters(const ModelConfig& config) {
  SpecList list(base_prefix(config));
  if (config.family == ModelFamily::kGpt2)
    add_gpt2(config, list);
  else
    add_llama_like(config, list);
  list.add_output(config);
  return list.take();
}

ParameterMatch match_parameters(const ModelConfig& config, const StoredShapes& stored) {
  ParameterMatch match;
  StoredShapes left = stored;
  std::vector<std::string> missing;
  const std::string_view prefix = base_prefix(config);
  for (ParameterSpec& spec : expected_parameters(config)) {
    std::string stored_name = spec.name;
    if (!left.contains(stored_name) && stored_name.starts_with(prefix)) stored_name.erase(0, prefix.size());
    const auto found = left.find(stored_name);
    if (found == left.end()) {
      missing.push_back(spec.name);
      continue;
    }
    check_shape(spec, stored_name, found->second);
    left.erase(found);
    match.parameters.push_back({std::move(spec), std::move(stored_name)});
  }
  if (!missing.empty())
    throw fail("the weights lack {} tensors that config.json asks for: {}", missing.size(), some_of(missing));

  std::vector<std::string> unexpected;
  for (const auto& [name, shape] : left) {
    if (config.tie_word_embeddings && name == kOutputWeight) {
      check_shape({name, {config.vocab_size, config.hidden_size}}, name, shape);
      match.tied_copies.push_back(name);
    } else if (is_buffer(config, name)) {
      match.buffers.push_back(name);
    } else {
      unexpected.push_back(name);
    }
  }
  std::sort(match.buffers.begin(), match.buffers.end());
  std::sort(unexpected.begin(), unexpected.end());
  if (!unexpected.empty())
    throw fail("the weights hold {} tensors that a {} model has no place for: {}", unexpected.size(), config.model_type,
               some_of(unexpected));
  return match;
}

}  // namespace agro
