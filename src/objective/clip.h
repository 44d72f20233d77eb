#pragma once
// Importance ratios kept in bounds: what PPO and its descendants share.
#include <ATen/core/Tensor.h>

namespace agro {

/// The ratio is held to [1 - low, 1 + high].
struct ClipRange {
  double low = 0.2;  // PPO's epsilon
  double high = 0.2;

  /// Throws Error unless low is in [0, 1) and high at least 0, one of them above 0.
  void check() const;
};

/// exp(log_ratio), at most e^80, so that a ratio times any advantage is finite in float32: [K] -> [K], differentiable.
at::Tensor importance_ratio(const at::Tensor& log_ratio);

struct ClippedSurrogate {
  at::Tensor value;    // min(ρ A, clip(ρ) A), to be maximised; differentiable
  at::Tensor clipped;  // bool: where the bound was the smaller, so that the gradient is zero

  double clip_fraction() const;  // 0 of nothing
};

/// PPO's pessimistic surrogate (Schulman et al., arXiv 1707.06347, eq. 7) of every ratio [K] and advantage [K].
ClippedSurrogate clipped_surrogate(const at::Tensor& ratio, const at::Tensor& advantage, const ClipRange& range);

/// The mean over all tokens of the batch: x [N] -> scalar, differentiable; 0 where there are none.
at::Tensor mean_over_tokens(const at::Tensor& x);

}  // namespace agro
