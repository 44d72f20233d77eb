#pragma once
// The least work a step or a sample needs, by formula, and how fast the machine could do it.
//
// Matrix products and attention count, a multiply-add as two operations; norms, activations, softmax and the optimiser
// do not. Nothing counts that could be avoided: a product computed a second time, padding, masked scores.
#include <cstdint>
#include <span>

#include "bench/end_to_end/bench.h"
#include "model/completion_batch.h"
#include "tensor/ops/linear.h"

namespace agro {

/// Weights of all matrices of the layers, without embedding and output projection.
double layer_weights(const ModelConfig& config);

/// Operations of a forward pass that gives the log-probability of every target of the batch:
///   2 · tokens · layer_weights  +  4 · layers · heads · head_dim · pairs  +  2 · rows · hidden_size · vocab_size
/// where `pairs` are those of a token with itself and each token before it that it sees, and `rows` the different rows
/// that predict.
double forward_operations(const ModelConfig& config, const CompletionBatch& batch);

/// Forward and backward: three times the forward pass, since each product y = A·B has the gradients dy·Bᵀ and Aᵀ·dy.
inline double training_operations(const ModelConfig& config, const CompletionBatch& batch) {
  return 3 * forward_operations(config, batch);
}

/// What sampling costs.
struct GenerationWork {
  double operations = 0;
  double bytes = 0;  // to be read from memory
};

/// Sampling `new_tokens` after each of `sequences` prompts of `prompt_tokens`, `per_prompt` of them sharing each
/// prompt: a pass over the prompts, then new_tokens − 1 passes of one token for each sequence, all of them at once.
/// Every pass reads each matrix once, `weight_bytes` for an element, and in float32 the keys and values it attends to.
GenerationWork generation_work(const ModelConfig& config, int64_t sequences, int64_t per_prompt, int64_t prompt_tokens,
                               int64_t new_tokens, int64_t weight_bytes);

/// Arithmetic at the measured peak of such products; `units` of work take `operations`. None where the peak was not
/// measured.
std::optional<Limit> arithmetic_limit(double units, double operations, Products products, const MachineRates& rates);

/// Memory at the measured bandwidth.
Limit memory_limit(double units, double bytes, const MachineRates& rates);

/// The lower of the two: neither can be had at the expense of the other.
std::optional<Limit> lower_limit(double units, const GenerationWork& work, Products products,
                                 const MachineRates& rates);

}  // namespace agro
