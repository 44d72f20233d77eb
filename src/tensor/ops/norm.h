#pragma once
// RMSNorm and LayerNorm, differentiable.
#include "tensor/torch_compat.h"

namespace agro {

/// x [N, C], weight [C] → x / sqrt(mean(x²) + eps) · weight. x may also be viewed as heads: [N, heads·C] with `weight`
/// [C] normalises every group of C (Qwen3's query and key norms).
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps);
Tensor rms_norm_ref(const Tensor& x, const Tensor& weight, double eps);

/// x [N, C], weight and bias [C].
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps);
Tensor layer_norm_ref(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps);

}  // namespace agro
