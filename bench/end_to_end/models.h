#pragma once
// Models and texts to measure with: the shapes matter, the numbers are random.
#include <string>

#include "bench/ref/model.h"
#include "model/completion_batch.h"

namespace agro {

struct ModelShape {
  int64_t hidden, layers, heads, kv_heads, inner, vocabulary;
  int64_t positions = 512;
  bool tied = false;
};

/// The Llama of 0.84M parameters that most benches use.
inline constexpr ModelShape kSmallLlama{
    .hidden = 128, .layers = 4, .heads = 4, .kv_heads = 4, .inner = 344, .vocabulary = 256};
inline constexpr ModelShape kSmolLm135M{.hidden = 576,
                                        .layers = 30,
                                        .heads = 9,
                                        .kv_heads = 3,
                                        .inner = 1536,
                                        .vocabulary = 49152,
                                        .positions = 512,
                                        .tied = true};
/// Four of its thirty layers, and that share of its vocabulary.
inline constexpr ModelShape kSmolLayers{
    .hidden = 576, .layers = 4, .heads = 9, .kv_heads = 3, .inner = 1536, .vocabulary = 6554, .tied = true};

/// The text of its config.json.
std::string llama_config(const ModelShape& shape);

/// Weights N(0, 0.02²), the embedding and output layer wider so that the distributions differ, norms 1; equal for
/// equal configurations. They require gradients.
CausalLm random_model(const std::string& config_text);

/// `count` sequences of `length` random tokens below `vocabulary`; equal arguments give equal ids.
std::vector<TokenIds> random_sequences(int64_t count, int64_t length, int64_t vocabulary, uint64_t seed = 2);

/// Rows of equal length as [rows, length] int64.
Tensor as_matrix(const std::vector<TokenIds>& rows);

/// Each sequence as a prompt of one token with the rest as its completion: every token but the first is predicted.
std::vector<PromptCompletion> as_items(const std::vector<TokenIds>& sequences);

void drop_gradients(const CausalLm& model);

}  // namespace agro
