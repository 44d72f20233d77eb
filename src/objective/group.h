#pragma once
// Arithmetic over ragged groups: the n responses of one prompt.
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace agro {

/// Sums x [N] over the positions with equal index [N] (int64 in [0, count)): [count], differentiable.
at::Tensor segment_sum(const at::Tensor& x, const at::Tensor& index, int64_t count);

/// The largest x [N] of the positions with equal index [N]: [count]; -∞ for an index that does not occur.
at::Tensor segment_max(const at::Tensor& x, const at::Tensor& index, int64_t count);

/// Which responses belong together. Every argument x is [B]; G is the number of groups; all functions are
/// differentiable.
class Groups {
 public:
  /// index: [B] int64, groups numbered 0 … G-1 in any order; dtype: of the values that will be averaged.
  /// Throws Error for an unused number, and for a group of fewer than `fewest` responses (1 or 2). One response has no
  /// variance and no advantage (A6 needs n ≥ 2): with fewest = 1 only count, size, mean and spread are for use.
  Groups(const at::Tensor& index, at::ScalarType dtype, int64_t fewest = 2);

  int64_t count() const { return size_.size(0); }
  const at::Tensor& size() const { return size_; }  // [G]

  at::Tensor mean(const at::Tensor& x) const;       // [G]
  at::Tensor variance(const at::Tensor& x) const;   // [G] unbiased: divided by n - 1
  at::Tensor advantage(const at::Tensor& x) const;  // [B] x_i minus the mean of the other n - 1 of its group

  /// Mean over prompts of the mean over their responses: a scalar. A prompt weighs the same whatever its n.
  at::Tensor batch_mean(const at::Tensor& x) const { return mean(x).mean(); }

  /// The value of each response's group: [G] -> [B].
  at::Tensor spread(const at::Tensor& per_group) const { return per_group.index_select(0, index_); }

 private:
  at::Tensor index_, size_;
};

}  // namespace agro
