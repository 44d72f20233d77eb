#include "tensor/ops/vocabulary_kl.h"

#include <algorithm>

#include "tensor/ops/vocabulary_cpu.h"

namespace agro {
namespace {

constexpr int64_t kFloatsPerChunk = 1 << 21;  // 8 MiB of logits, twice

struct Side {
  const Tensor& hidden;  // [N, C], contiguous
  const RightHandSide& head;
};

/// Calls use(first row, rows, logits, ref_logits) for a few rows at a time; use may write to the logits.
template <class F>
void for_logits(int64_t vocabulary, const Side& policy, const Side& reference, F&& use) {
  const int64_t n = policy.hidden.size(0);
  const int64_t chunk = std::clamp<int64_t>(kFloatsPerChunk / vocabulary, 1, std::max<int64_t>(1, n));
  std::vector<float> logits(static_cast<size_t>(chunk * vocabulary)), ref_logits(logits.size());
  for (int64_t begin = 0; begin < n; begin += chunk) {
    const int64_t rows = std::min(chunk, n - begin);
    const auto product = [&](const Side& side, std::vector<float>& out) {
      const int64_t c = side.hidden.size(1);
      matmul({read_pointer<float>(side.hidden) + begin * c, rows, c}, side.head, out.data(), vocabulary);
    };
    product(policy, logits);
    product(reference, ref_logits);
    use(begin, rows, logits.data(), ref_logits.data());
  }
}

struct VocabularyKlFunction : torch::autograd::Function<VocabularyKlFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& hidden_in, const Tensor& weight,
                        const Tensor& ref_hidden_in, const Tensor& ref_weight, const LinearWeight* head,
                        const LinearWeight* ref_head) {
    const Tensor hidden = hidden_in.contiguous(), ref_hidden = ref_hidden_in.contiguous();
    Tensor kl = torch::empty({hidden.size(0)}, hidden.options());
    for_logits(weight.size(0), {hidden, head->pack->get(weight, head->layout, head->products)},
               {ref_hidden, ref_head->pack->get(ref_weight, ref_head->layout, ref_head->products)},
               [&](int64_t begin, int64_t rows, const float* logits, const float* ref_logits) {
                 kl_divergence(rows, weight.size(0), logits, ref_logits, write_pointer<float>(kl) + begin);
               });
    ctx->save_for_backward({hidden, weight, ref_hidden, ref_weight, kl});
    ctx->saved_data["bfloat16"] = head->products == Products::kBFloat16;
    ctx->saved_data["ref_bfloat16"] = ref_head->products == Products::kBFloat16;
    return kl;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &hidden = saved[0], &weight = saved[1], &ref_hidden = saved[2], &kl = saved[4];
    const Tensor grad = grads[0].contiguous();
    const int64_t vocabulary = weight.size(0), c = weight.size(1);
    const auto products_of = [&](const char* key) {
      return ctx->saved_data[key].toBool() ? Products::kBFloat16 : Products::kFloat32;
    };
    const Products products = products_of("bfloat16");
    const RightHandSide head = pack_weight(weight, WeightLayout::kOutIn, false, products);
    const RightHandSide ref_head = pack_weight(saved[3], WeightLayout::kOutIn, false, products_of("ref_bfloat16"));
    const RightHandSide transposed_head = pack_weight(weight, WeightLayout::kOutIn, true, products);
    Tensor dhidden = torch::empty_like(hidden), dweight;
    if (ctx->needs_input_grad(1)) dweight = torch::zeros(weight.sizes(), hidden.options());
    for_logits(
        vocabulary, {hidden, head}, {ref_hidden, ref_head},
        [&](int64_t begin, int64_t rows, float* logits, const float* ref_logits) {
          kl_divergence_gradient(rows, vocabulary, logits, ref_logits, read_pointer<float>(kl) + begin,
                                 read_pointer<float>(grad) + begin);
          matmul({logits, rows, vocabulary}, transposed_head, write_pointer<float>(dhidden) + begin * c, c);
          if (!dweight.defined()) return;
          const RightHandSide packed = pack_rows(read_pointer<float>(hidden) + begin * c, rows, c, products);
          matmul({logits, vocabulary, 1, vocabulary}, packed, write_pointer<float>(dweight), c, {.accumulate = true});
        });
    return {dhidden, dweight, Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor vocabulary_kl(const Tensor& hidden, const LinearWeight& head, const Tensor& ref_hidden,
                     const LinearWeight& ref_head) {
  check_shape(hidden, {-1, head.in_features()}, "hidden states of the policy");
  check_shape(ref_hidden, {hidden.size(0), ref_head.in_features()}, "hidden states of the reference");
  if (head.out_features() != ref_head.out_features())
    throw fail("policy and reference have vocabularies of {} and {} tokens", head.out_features(),
               ref_head.out_features());
  if (!on_kernel_path(hidden)) return vocabulary_kl_ref(hidden, head, ref_hidden, ref_head);
  return VocabularyKlFunction::apply(hidden, head.weight, ref_hidden.detach(), ref_head.weight.detach(), &head,
                                     &ref_head);
}

}  // namespace agro
