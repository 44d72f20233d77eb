#include "tensor/ops/linear.h"

namespace agro {

Tensor linear_ref(const Tensor& x, const LinearWeight& w) {
  const at::ScalarType dtype = x.scalar_type();
  const Tensor weight = w.weight.to(dtype);
  Tensor y = x.matmul(w.layout == WeightLayout::kOutIn ? weight.t() : weight);
  if (w.bias.defined()) y = y + w.bias.to(dtype);
  if (!w.low_rank) return y;
  const Tensor projected = x.matmul(w.low_rank->a.to(dtype).t()) * w.low_rank->scale;
  return y + projected.matmul(w.low_rank->b.to(dtype).t());
}

}  // namespace agro
