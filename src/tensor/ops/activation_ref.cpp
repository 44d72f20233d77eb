#include <numbers>

#include "tensor/ops/activation.h"

namespace agro {

Tensor activation_ref(const Tensor& x, Activation act) {
  switch (act) {
    case Activation::kSilu:
      return x * x.sigmoid();
    case Activation::kGeluTanh:
      return 0.5 * x * (1.0 + (std::numbers::inv_sqrtpi * std::numbers::sqrt2 * (x + 0.044715 * x.pow(3))).tanh());
    case Activation::kRelu:
      return x.relu();
    case Activation::kGelu:
      break;
  }
  return 0.5 * x * (1.0 + (x / std::numbers::sqrt2).erf());
}

Tensor gated_activation_ref(const Tensor& gate, const Tensor& up, Activation act) {
  return activation_ref(gate, act) * up;
}

}  // namespace agro
