#include "objective/clip.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/minimum.h>

#include <algorithm>

#include "core/error.h"

namespace agro {
namespace {

constexpr double kLargestLogRatio = 80;

}  // namespace

void ClipRange::check() const {
  if (!(low >= 0 && low < 1)) throw fail("the ratio's lower clip must be in [0, 1), found {}", low);
  if (!(high >= 0)) throw fail("the ratio's upper clip must be at least 0, found {}", high);
  if (low == 0 && high == 0)
    throw Error("clipping the ratio to exactly 1 leaves no gradient")
        .hint("set clip_epsilon, or clip_low and clip_high, above 0; 0.2 is PPO's");
}

at::Tensor importance_ratio(const at::Tensor& log_ratio) { return log_ratio.clamp_max(kLargestLogRatio).exp(); }

double ClippedSurrogate::clip_fraction() const {
  return clipped.numel() == 0 ? 0 : clipped.to(at::kDouble).mean().item<double>();
}

ClippedSurrogate clipped_surrogate(const at::Tensor& ratio, const at::Tensor& advantage, const ClipRange& range) {
  const at::Tensor bounded = ratio.clamp(1 - range.low, 1 + range.high) * advantage;
  return {at::minimum(ratio * advantage, bounded), bounded.lt(ratio * advantage)};
}

at::Tensor mean_over_tokens(const at::Tensor& x) {
  return x.sum() / static_cast<double>(std::max<int64_t>(x.size(0), 1));
}

}  // namespace agro
