#include "tensor/ops/vocabulary_kl.h"

namespace agro {

Tensor vocabulary_kl_ref(const Tensor& hidden, const LinearWeight& head, const Tensor& ref_hidden,
                         const LinearWeight& ref_head) {
  const Tensor logprobs = linear_ref(hidden, head).log_softmax(-1);
  const Tensor ref_logprobs = linear_ref(ref_hidden, ref_head).log_softmax(-1).detach();
  return (logprobs.exp() * (logprobs - ref_logprobs)).sum(-1);
}

}  // namespace agro
