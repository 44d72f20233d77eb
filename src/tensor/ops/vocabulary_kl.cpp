#include "tensor/ops/vocabulary_kl.h"

#include <algorithm>

namespace agro {
namespace {

constexpr int64_t kFloatsPerChunk = 1 << 23;  // 32 MiB of logits

Tensor kl_of(const Tensor& logprobs, const Tensor& ref_logprobs) {
  return (logprobs.exp() * (logprobs - ref_logprobs)).sum(-1);
}

template <class F>
void for_chunks(int64_t n, int64_t vocabulary, F&& use) {
  const int64_t rows = std::max<int64_t>(1, kFloatsPerChunk / vocabulary);
  for (int64_t begin = 0; begin < n; begin += rows) use(begin, std::min(rows, n - begin));
}

struct VocabularyKlFunction : torch::autograd::Function<VocabularyKlFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& hidden, const Tensor& weight, const Tensor& ref_hidden,
                        const Tensor& ref_weight) {
    const int64_t n = hidden.size(0);
    Tensor out = torch::empty({n}, hidden.options());
    for_chunks(n, weight.size(0), [&](int64_t begin, int64_t rows) {
      const Tensor logprobs = hidden.narrow(0, begin, rows).matmul(weight.t()).log_softmax(-1);
      const Tensor ref_logprobs =
          ref_hidden.narrow(0, begin, rows).matmul(ref_weight.to(hidden.scalar_type()).t()).log_softmax(-1);
      out.narrow(0, begin, rows).copy_(kl_of(logprobs, ref_logprobs));
    });
    ctx->save_for_backward({hidden, weight, ref_hidden, ref_weight});
    return out;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &hidden = saved[0], &weight = saved[1], &ref_hidden = saved[2], &ref_weight = saved[3];
    Tensor dhidden = torch::empty_like(hidden), dweight = torch::zeros_like(weight);
    for_chunks(hidden.size(0), weight.size(0), [&](int64_t begin, int64_t rows) {
      const Tensor h = hidden.narrow(0, begin, rows);
      const Tensor logprobs = h.matmul(weight.t()).log_softmax(-1);
      const Tensor difference =
          logprobs - ref_hidden.narrow(0, begin, rows).matmul(ref_weight.to(hidden.scalar_type()).t()).log_softmax(-1);
      const Tensor p = logprobs.exp();
      // d KL / d logit_v = p_v (log p_v/q_v − KL)
      const Tensor dlogits =
          p * (difference - (p * difference).sum(-1, true)) * grads[0].narrow(0, begin, rows).unsqueeze(-1);
      dhidden.narrow(0, begin, rows).copy_(dlogits.matmul(weight));
      dweight.add_(dlogits.t().matmul(h));
    });
    return {dhidden, dweight, Tensor(), Tensor()};
  }
};

}  // namespace

Tensor vocabulary_kl(const Tensor& hidden, const LinearWeight& head, const Tensor& ref_hidden,
                     const LinearWeight& ref_head) {
  check_shape(ref_hidden, {hidden.size(0), ref_head.in_features()}, "hidden states of the reference");
  if (head.out_features() != ref_head.out_features())
    throw fail("policy and reference have vocabularies of {} and {} tokens", head.out_features(),
               ref_head.out_features());
  return VocabularyKlFunction::apply(hidden, head.weight, ref_hidden.detach(), ref_head.weight.detach());
}

Tensor vocabulary_kl_ref(const Tensor& hidden, const LinearWeight& head, const Tensor& ref_hidden,
                         const LinearWeight& ref_head) {
  return kl_of(linear_ref(hidden, head).log_softmax(-1), linear_ref(ref_hidden, ref_head).log_softmax(-1).detach());
}

}  // namespace agro
