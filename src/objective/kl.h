#pragma once
// KL(π‖π_ref), estimated from tokens in three ways or taken exactly over the vocabulary, as a term of a loss.
// Names and properties as in Schulman, "Approximating KL divergence" (2020).
#include <functional>

#include "objective/objective.h"

namespace agro {

/// With d = log π(token)/π_ref(token), per token, in nats. For tokens drawn from π:
///   kK1              d                   unbiased in value; its gradient is 0 in expectation, so as a loss it does
///                                        not regularise at all
///   kK2              d²/2                biased in value; its gradient is the KL's, unbiased
///   kK3              exp(-d) - 1 + d     unbiased in value, ≥ 0; its gradient is that of KL(π_ref‖π) in expectation
///   kFullVocabulary  Σ_v π(v) log π(v)/π_ref(v), exact at the batch's own prefixes; needs full_vocabulary_kl
/// For tokens from elsewhere none of the three estimates KL(π‖π_ref). Unbiased gradients are those per token, given its
/// prefix: what an earlier token does to later prefixes enters none of them.
enum class KlEstimator { kK1, kK2, kK3, kFullVocabulary };

/// [N] and [N] -> [N] in nats, differentiable.
at::Tensor kl_k1(const at::Tensor& logprobs, const at::Tensor& ref_logprobs);
at::Tensor kl_k2(const at::Tensor& logprobs, const at::Tensor& ref_logprobs);
at::Tensor kl_k3(const at::Tensor& logprobs, const at::Tensor& ref_logprobs);

/// The chosen estimate for every token of a batch: [N] in nats, differentiable.
at::Tensor token_kl(const ObjectiveInput& input, KlEstimator estimator);

/// A KL term in a loss: β times token_kl, averaged as the objective averages. β = 0: there is none.
struct KlTerm {
  double beta = 0;
  KlEstimator estimator = KlEstimator::kK3;

  bool needs_full_vocabulary() const { return beta > 0 && estimator == KlEstimator::kFullVocabulary; }
  /// Adds the term to the loss and its average to the metrics, as "kl_penalty". `average`: [N] -> scalar.
  void add_to(ObjectiveResult& result, const ObjectiveInput& input,
              const std::function<at::Tensor(const at::Tensor&)>& average) const;
};

}  // namespace agro
