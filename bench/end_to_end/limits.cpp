#include "bench/end_to_end/limits.h"

#include <algorithm>
#include <set>

namespace agro {
namespace {

double real(int64_t n) { return static_cast<double>(n); }

/// Operations of attention for one pair of a query and a key, all layers: a product with the key, one with the value.
double operations_per_pair(const ModelConfig& config) {
  return 4 * real(config.num_hidden_layers * config.num_attention_heads * config.head_dim);
}

double head_operations(const ModelConfig& config) { return 2 * real(config.hidden_size * config.vocab_size); }

/// Σ_{i=1…length} (before + i).
double causal_pairs(double before, double length) { return length * before + length * (length + 1) / 2; }

double pairs_of(const PackedBatch& batch) {
  double pairs = 0;
  for (size_t s = 0; s + 1 < batch.offsets.size(); ++s) {
    const auto length = [&](size_t sequence) { return real(batch.offsets[sequence + 1] - batch.offsets[sequence]); };
    const int64_t prefix = batch.prefixes.empty() ? -1 : batch.prefixes[s];
    pairs += causal_pairs(prefix < 0 ? 0 : length(static_cast<size_t>(prefix)), length(s));
  }
  return pairs;
}

}  // namespace

double layer_weights(const ModelConfig& config) {
  const double c = real(config.hidden_size), q = real(config.num_attention_heads * config.head_dim),
               kv = real(config.num_key_value_heads * config.head_dim), inner = real(config.intermediate_size);
  const double products_of_feed_forward = config.family == ModelFamily::kGpt2 ? 2 : 3;
  return real(config.num_hidden_layers) * (2 * c * q + 2 * c * kv + products_of_feed_forward * c * inner);
}

double forward_operations(const ModelConfig& config, const CompletionBatch& batch) {
  const auto* rows = read_pointer<int64_t>(batch.rows);
  const std::set<int64_t> distinct(rows, rows + batch.rows.size(0));
  return 2 * real(batch.tokens.tokens()) * layer_weights(config) +
         operations_per_pair(config) * pairs_of(batch.tokens) +
         head_operations(config) * static_cast<double>(distinct.size());
}

GenerationWork generation_work(const ModelConfig& config, int64_t sequences, int64_t per_prompt, int64_t prompt_tokens,
                               int64_t new_tokens, int64_t weight_bytes) {
  const double prompts = real(sequences / per_prompt), weights = layer_weights(config), passes = real(new_tokens),
               decoded = real(sequences) * (passes - 1);
  const double decode_pairs = real(sequences) * causal_pairs(real(prompt_tokens), passes - 1);
  GenerationWork work;
  work.operations = 2 * (prompts * real(prompt_tokens) + decoded) * weights +
                    head_operations(config) * (prompts + decoded) +
                    operations_per_pair(config) * (prompts * causal_pairs(0, real(prompt_tokens)) + decode_pairs);
  const double head = real(config.hidden_size * config.vocab_size);
  const double key_and_value = 2 * 4 * real(config.num_hidden_layers * config.num_key_value_heads * config.head_dim);
  work.bytes = passes * (weights + head) * real(weight_bytes) + decode_pairs * key_and_value;
  return work;
}

std::optional<Limit> arithmetic_limit(double units, double operations, Products products, const MachineRates& rates) {
  if (products == Products::kFloat32) return Limit{"float32 peak", units * rates.float32_gflops * 1e9 / operations};
  if (!rates.bfloat16_gflops) return std::nullopt;
  return Limit{"bfloat16 peak", units * *rates.bfloat16_gflops * 1e9 / operations};
}

Limit memory_limit(double units, double bytes, const MachineRates& rates) {
  return {"memory bandwidth", units * rates.read_bytes_per_second / bytes};
}

std::optional<Limit> lower_limit(double units, const GenerationWork& work, Products products,
                                 const MachineRates& rates) {
  const std::optional<Limit> arithmetic = arithmetic_limit(units, work.operations, products, rates);
  const Limit memory = memory_limit(units, work.bytes, rates);
  return arithmetic && arithmetic->rate < memory.rate ? arithmetic : memory;
}

}  // namespace agro
