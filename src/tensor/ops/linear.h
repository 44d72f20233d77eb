#pragma once
// Linear layers: y = x · Wᵀ + b on our matrix products, with or without a low-rank part (LoRA).
#include <optional>
#include <string>

#include "tensor/ops/weight_pack.h"

namespace agro {

/// A low-rank part of a weight: W + scale · B · A. Source: Hu et al., "LoRA", arXiv 2106.09685, section 4.1.
struct LowRank {
  Tensor a;  // [rank, in] float32
  Tensor b;  // [out, rank] float32
  double scale = 1;
  c10::intrusive_ptr<WeightPack> a_pack = c10::make_intrusive<WeightPack>();
  c10::intrusive_ptr<WeightPack> b_pack = c10::make_intrusive<WeightPack>();

  int64_t rank() const { return a.size(0); }
};

struct LinearWeight {
  std::string name;  // of the module in the model, "model.layers.0.self_attn.q_proj"; may be empty
  Tensor weight;     // float32 (trainable) or bfloat16 (frozen)
  Tensor bias;       // float32 [out] or undefined
  WeightLayout layout = WeightLayout::kOutIn;
  Products products = Products::kFloat32;
  std::optional<LowRank> low_rank;
  c10::intrusive_ptr<WeightPack> pack = c10::make_intrusive<WeightPack>();

  int64_t out_features() const { return weight.size(layout == WeightLayout::kOutIn ? 0 : 1); }
  int64_t in_features() const { return weight.size(layout == WeightLayout::kOutIn ? 1 : 0); }
};

/// x [N, in] float32 → [N, out] float32: x · Wᵀ + b, and where there is a low-rank part + scale · (x · Aᵀ) · Bᵀ.
/// Differentiable in x, weight, bias, A and B. With float32 products, bfloat16 weights are widened as they are read.
/// Throws Error on a shape mismatch.
Tensor linear(const Tensor& x, const LinearWeight& w);

/// The same with LibTorch's operators, any dtype and device; products are those of the dtype of x.
Tensor linear_ref(const Tensor& x, const LinearWeight& w);

/// W + scale · B · A as a weight of its own, in the layout of W; float32, or float64 where W is. W itself where there
/// is no low-rank part or all of B is 0. Not differentiable.
Tensor merged_weight(const LinearWeight& w);

/// Throws Error unless A and B fit the weight and have at least one row and column in between.
void check_low_rank(const LinearWeight& w);

}  // namespace agro
