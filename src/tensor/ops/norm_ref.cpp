#include "tensor/ops/norm.h"

namespace agro {

Tensor rms_norm_ref(const Tensor& x, const Tensor& weight, double eps) {
  const Tensor rows = x.reshape({-1, weight.size(0)});
  return (rows * (rows.pow(2).mean(-1, true) + eps).rsqrt() * weight.to(x.scalar_type())).reshape(x.sizes());
}

Tensor layer_norm_ref(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  const Tensor centred = x - x.mean(-1, true);
  const Tensor normal = centred * (centred.pow(2).mean(-1, true) + eps).rsqrt();
  return normal * weight.to(x.scalar_type()) + bias.to(x.scalar_type());
}

}  // namespace agro
