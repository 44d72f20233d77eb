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

struct WeightedLogprobs {
  Tensor sum;       // [] Σ weight · log-probability, differentiable in hidden and head
  Tensor logprobs;  // [N] without graph
};

/// Σ weights · token_logprobs() where the weights [N] are known beforehand: value and gradient come from one
/// computation of the logits, made here and kept for the backward pass. `known` [N] float32 (or undefined): the
/// log-probabilities, where they were computed before, at the same temperature; the gradient then takes each row's
/// normaliser from them, and `logprobs` still are those found here. Without `known` the scratch holds whole rows of
/// logits, at most 64 MiB of them. Shapes, dtypes and errors as above.
WeightedLogprobs weighted_token_logprobs(const Tensor& hidden, const LinearWeight& head, const Tensor& targets,
                                         const Tensor& weights, const Tensor& known = {}, double temperature = 1.0);
WeightedLogprobs weighted_token_logprobs_ref(const Tensor& hidden, const LinearWeight& head, const Tensor& targets,
                                             const Tensor& weights, double temperature = 1.0);

}  // namespace agro
