#include "tensor/ops/embedding.h"

#include <algorithm>
#include <vector>

#include "core/parallel.h"

namespace agro {
namespace {

/// target[id[row]] += source[row] for every row in order; both have `c` columns. Threads share out the columns, so that
/// each sum runs over the rows in order.
void add_rows(const std::vector<int64_t>& id, int64_t c, const float* source, float* target) {
  constexpr int64_t kColumns = 64;
  parallel_for((c + kColumns - 1) / kColumns, [&](int64_t block) {
    const int64_t begin = block * kColumns, end = std::min(c, begin + kColumns);
    for (size_t row = 0; row < id.size(); ++row)
      for (int64_t i = begin; i < end; ++i) target[id[row] * c + i] += source[static_cast<int64_t>(row) * c + i];
  });
}

/// The gradient's rows of the ids that occur, as a sparse tensor: a dense one would be as large as the embedding.
Tensor sparse_gradient(const std::vector<int64_t>& ids, const Tensor& dy, int64_t vocabulary) {
  std::vector<int64_t> present = ids, place;
  std::sort(present.begin(), present.end());
  present.erase(std::unique(present.begin(), present.end()), present.end());
  for (const int64_t id : ids) place.push_back(std::lower_bound(present.begin(), present.end(), id) - present.begin());
  Tensor values = torch::zeros({static_cast<int64_t>(present.size()), dy.size(1)}, dy.options());
  add_rows(place, dy.size(1), read_pointer<float>(dy), write_pointer<float>(values));
  return torch::sparse_coo_tensor(int64_tensor(present).unsqueeze(0), values, {vocabulary, dy.size(1)})
      ._coalesced_(true);
}

struct EmbeddingFunction : torch::autograd::Function<EmbeddingFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& weight, const Tensor& ids_in) {
    const Tensor ids = ids_in.contiguous();
    ctx->save_for_backward({ids, weight});
    return weight.index_select(0, ids).to(torch::kFloat32);
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor ids = saved[0], weight = saved[1], dy = grads[0].contiguous();
    const std::vector<int64_t> id(read_pointer<int64_t>(ids), read_pointer<int64_t>(ids) + ids.numel());
    // What is added to a dense gradient may be sparse; what becomes the gradient is dense, as everybody expects it.
    if (weight.is_leaf() && weight.grad().defined()) return {sparse_gradient(id, dy, weight.size(0)), Tensor()};
    Tensor dweight = torch::zeros(weight.sizes(), dy.options());
    add_rows(id, dy.size(1), read_pointer<float>(dy), write_pointer<float>(dweight));
    return {dweight, Tensor()};
  }
};

}  // namespace

void check_ids(std::span<const int64_t> ids, int64_t vocabulary) {
  const auto bad = std::find_if(ids.begin(), ids.end(), [&](int64_t id) { return id < 0 || id >= vocabulary; });
  if (bad != ids.end()) throw fail("token id {} is outside the model's vocabulary of {}", *bad, vocabulary);
}

void check_ids(const Tensor& ids, int64_t vocabulary) {
  const Tensor dense = ids.to(torch::kCPU).contiguous();
  check_ids(std::span(read_pointer<int64_t>(dense), static_cast<size_t>(dense.numel())), vocabulary);
}

Tensor embed_rows(const Tensor& weight, const Tensor& ids) {
  if (weight.device().is_cpu()) check_ids(ids, weight.size(0));
  if (!weight.device().is_cpu() || weight.scalar_type() == at::kDouble) return weight.index_select(0, ids);
  return EmbeddingFunction::apply(weight, ids);
}

}  // namespace agro
