#include "bench/end_to_end/models.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>

#include "core/rng.h"
#include "model/parameter_names.h"

namespace agro {

std::string llama_config(const ModelShape& s) {
  return fmt::format(
      R"({{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": {},
  "num_hidden_layers": {}, "num_attention_heads": {}, "num_key_value_heads": {}, "intermediate_size": {},
  "vocab_size": {}, "max_position_embeddings": {}, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
  "tie_word_embeddings": {}, "torch_dtype": "float32"}})",
      s.hidden, s.layers, s.heads, s.kv_heads, s.inner, s.vocabulary, s.positions, s.tied);
}

CausalLm random_model(const std::string& config_text) {
  const ModelConfig config = parse_model_config(config_text);
  const std::vector<ParameterSpec> specs = expected_parameters(config);
  const at::Generator generator = at::detail::createCPUGenerator(1);
  return {config, [&](const std::string& name) {
            const auto spec = std::find_if(specs.begin(), specs.end(), [&](const auto& s) { return s.name == name; });
            if (spec == specs.end()) throw fail("the model has no tensor '{}'", name);
            if (spec->shape.size() == 1)
              return torch::full(spec->shape, name.ends_with("bias") ? 0.0 : 1.0).set_requires_grad(true);
            const bool tokens = name == embedding_weight_name(config) || name == output_weight_name();
            return torch::empty(spec->shape).normal_(0, tokens ? 0.1 : 0.02, generator).set_requires_grad(true);
          }};
}

std::vector<TokenIds> random_sequences(int64_t count, int64_t length, int64_t vocabulary, uint64_t seed) {
  std::vector<TokenIds> sequences(static_cast<size_t>(count));
  for (uint64_t s = 0; s < sequences.size(); ++s)
    for (uint32_t t = 0; t < length; ++t)
      sequences[s].push_back(
          static_cast<TokenId>(uniform_below({seed, Stream::kTest, s, 0, t}, static_cast<uint64_t>(vocabulary))));
  return sequences;
}

Tensor as_matrix(const std::vector<TokenIds>& rows) {
  std::vector<int64_t> all;
  for (const TokenIds& row : rows) all.insert(all.end(), row.begin(), row.end());
  return int64_tensor(all).view({static_cast<int64_t>(rows.size()), -1});
}

std::vector<PromptCompletion> as_items(const std::vector<TokenIds>& sequences) {
  std::vector<PromptCompletion> items;
  for (const TokenIds& s : sequences) items.push_back({std::span(s).first(1), std::span(s).subspan(1)});
  return items;
}

void drop_gradients(const CausalLm& model) {
  for (const NamedTensor& p : model.parameters()) p.tensor.mutable_grad() = Tensor();
}

}  // namespace agro
