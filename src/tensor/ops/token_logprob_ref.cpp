#include "tensor/ops/token_logprob.h"

namespace agro {

Tensor token_logprobs_ref(const Tensor& hidden, const LinearWeight& head, const Tensor& targets, double temperature) {
  const Tensor logits = linear_ref(hidden, head) / temperature;
  return logits.log_softmax(-1).gather(1, targets.unsqueeze(1)).squeeze(1);
}

WeightedLogprobs weighted_token_logprobs_ref(const Tensor& hidden, const LinearWeight& head, const Tensor& targets,
                                             const Tensor& weights, double temperature) {
  const Tensor logprobs = token_logprobs_ref(hidden, head, targets, temperature);
  return {(logprobs * weights.to(logprobs.options())).sum(), logprobs.detach()};
}

}  // namespace agro
