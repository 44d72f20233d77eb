#pragma once
// Linear layers: y = x · Wᵀ + b on our matrix product, with the weight packed once per change.
#include "tensor/ops/matmul_cpu.h"
#include "tensor/torch_compat.h"

namespace agro {

/// How a weight lies in memory: [out, in] (torch Linear) or [in, out] (GPT-2's Conv1D).
enum class WeightLayout { kOutIn, kInOut };

/// The right-hand side of x · Wᵀ, or of dy · W `for_gradient`. `weight` float32 or bfloat16 on the CPU.
PackedMatrix pack_weight(const Tensor& weight, WeightLayout layout, bool for_gradient);

/// A weight in the kernel's layout, packed on first use and again whenever the tensor changed. Not thread-safe.
class WeightPack {
 public:
  /// `weight` float32 or bfloat16 on the CPU. The reference stays valid until the next call.
  const PackedMatrix& get(const Tensor& weight, WeightLayout layout);

 private:
  PackedMatrix packed_;
  const void* data_ = nullptr;
  int64_t version_ = -1;
};

struct LinearWeight {
  Tensor weight;  // float32 (trainable) or bfloat16 (frozen)
  Tensor bias;    // float32 [out] or undefined
  WeightLayout layout = WeightLayout::kOutIn;
  std::shared_ptr<WeightPack> pack = std::make_shared<WeightPack>();

  int64_t out_features() const { return weight.size(layout == WeightLayout::kOutIn ? 0 : 1); }
  int64_t in_features() const { return weight.size(layout == WeightLayout::kOutIn ? 1 : 0); }
};

/// x [N, in] float32 → [N, out] float32, differentiable in x, weight and bias. bfloat16 weights are widened to float32
/// as they are read; products and sums are float32. Throws Error on a shape mismatch.
Tensor linear(const Tensor& x, const LinearWeight& w);

/// The same with LibTorch's operators, any dtype and device.
Tensor linear_ref(const Tensor& x, const LinearWeight& w);

}  // namespace agro
