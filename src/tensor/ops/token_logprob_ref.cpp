#include "tensor/ops/token_logprob.h"

namespace agro {

Tensor token_logprobs_ref(const Tensor& hidden, const LinearWeight& head, const Tensor& targets, double temperature) {
  const Tensor logits = linear_ref(hidden, head) / temperature;
  return logits.log_softmax(-1).gather(1, targets.unsqueeze(1)).squeeze(1);
}

}  // namespace agro
