#include "objective/kl.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/expm1.h>

namespace agro {

at::Tensor kl_k1(const at::Tensor& logprobs, const at::Tensor& ref_logprobs) { return logprobs - ref_logprobs; }

at::Tensor kl_k2(const at::Tensor& logprobs, const at::Tensor& ref_logprobs) {
  return (logprobs - ref_logprobs).square() / 2;
}

at::Tensor kl_k3(const at::Tensor& logprobs, const at::Tensor& ref_logprobs) {
  const at::Tensor d = ref_logprobs - logprobs;
  return at::expm1(d) - d;
}

at::Tensor token_kl(const ObjectiveInput& input, KlEstimator estimator) {
  switch (estimator) {
    case KlEstimator::kK1:
      return kl_k1(input.logprobs, input.ref_logprobs);
    case KlEstimator::kK2:
      return kl_k2(input.logprobs, input.ref_logprobs);
    case KlEstimator::kFullVocabulary:
      return input.full_vocabulary_kl;
    case KlEstimator::kK3:
      break;
  }
  return kl_k3(input.logprobs, input.ref_logprobs);
}

void KlTerm::add_to(ObjectiveResult& result, const ObjectiveInput& input,
                    const std::function<at::Tensor(const at::Tensor&)>& average) const {
  if (beta == 0) return;
  const at::Tensor penalty = average(token_kl(input, estimator));
  result.metrics.emplace_back("kl_penalty", penalty.item<double>());
  result.loss = result.loss + beta * penalty;
}

}  // namespace agro
