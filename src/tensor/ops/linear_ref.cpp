#include "tensor/ops/linear.h"

namespace agro {

Tensor linear_ref(const Tensor& x, const LinearWeight& w) {
  const Tensor weight = w.weight.to(x.scalar_type());
  const Tensor product = x.matmul(w.layout == WeightLayout::kOutIn ? weight.t() : weight);
  return w.bias.defined() ? product + w.bias.to(x.scalar_type()) : product;
}

}  // namespace agro
