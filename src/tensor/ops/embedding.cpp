#include "tensor/ops/embedding.h"

#include <algorithm>

#include "core/parallel.h"

namespace agro {
namespace {

struct EmbeddingFunction : torch::autograd::Function<EmbeddingFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& weight, const Tensor& ids_in) {
    const Tensor ids = ids_in.contiguous();
    ctx->save_for_backward({ids});
    ctx->saved_data["vocabulary"] = weight.size(0);
    return weight.index_select(0, ids).to(torch::kFloat32);
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const Tensor ids = ctx->get_saved_variables()[0], dy = grads[0].contiguous();
    const int64_t n = dy.size(0), c = dy.size(1);
    Tensor dweight = torch::zeros({ctx->saved_data["vocabulary"].toInt(), c}, dy.options());
    const int64_t* id = read_pointer<int64_t>(ids);
    const float* source = read_pointer<float>(dy);
    float* target = write_pointer<float>(dweight);
    // Threads share out the columns, so that each sum runs over the rows in order.
    constexpr int64_t kColumns = 64;
    parallel_for((c + kColumns - 1) / kColumns, [&](int64_t block) {
      const int64_t begin = block * kColumns, end = std::min(c, begin + kColumns);
      for (int64_t row = 0; row < n; ++row)
        for (int64_t i = begin; i < end; ++i) target[id[row] * c + i] += source[row * c + i];
    });
    return {dweight, Tensor()};
  }
};

}  // namespace

void check_ids(const Tensor& ids, int64_t vocabulary) {
  const Tensor dense = ids.to(torch::kCPU).contiguous();
  const int64_t* p = read_pointer<int64_t>(dense);
  const int64_t* bad = std::find_if(p, p + dense.numel(), [&](int64_t id) { return id < 0 || id >= vocabulary; });
  if (bad != p + dense.numel()) throw fail("token id {} is outside the model's vocabulary of {}", *bad, vocabulary);
}

Tensor embed_rows(const Tensor& weight, const Tensor& ids) {
  if (weight.device().is_cpu()) check_ids(ids, weight.size(0));
  if (!weight.device().is_cpu() || weight.scalar_type() == at::kDouble) return weight.index_select(0, ids);
  return EmbeddingFunction::apply(weight, ids);
}

}  // namespace agro
