#pragma once
// Log-probability of given tokens under the output head, without ever holding [tokens, vocabulary] in memory.
#include "tensor/ops/linear.h"

namespace agro {

/// hidden [N, C], head weight [V, C] (any LinearWeight), targets [N] int64 → log softmax(hidden · Wᵀ /
/// temperature)[target], [N], natural log, float32 (float64 for float64 input). Differentiable in hidden and weight.
/// Memory: rows × kVocabularyBlock scratch; the backward pass computes the logits again.
Tensor token_logprobs(const Tensor& hidden, const LinearWeight& head, const Tensor& targets, double temperature = 1.0);
Tensor token_logprobs_ref(const Tensor& hidden, const LinearWeight& head, const Tensor& targets,
                          double temperature = 1.0);

}  // namespace agro
