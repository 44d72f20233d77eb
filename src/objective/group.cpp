#include "objective/group.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <limits>

#include "core/error.h"

namespace agro {

at::Tensor segment_sum(const at::Tensor& x, const at::Tensor& index, int64_t count) {
  return at::zeros({count}, x.options().requires_grad(false)).index_add(0, index, x);
}

at::Tensor segment_max(const at::Tensor& x, const at::Tensor& index, int64_t count) {
  const double lowest = -std::numeric_limits<double>::infinity();
  return at::full({count}, lowest, x.options().requires_grad(false)).scatter_reduce(0, index, x, "amax");
}

Groups::Groups(const at::Tensor& index, at::ScalarType dtype, int64_t fewest) : index_(index) {
  const at::Tensor counts = index.bincount();
  if (!counts.gt(0).all().item<bool>())
    throw fail("groups must be numbered 0 … {} without gaps, but {} is unused", counts.size(0) - 1,
               counts.eq(0).nonzero()[0].item<int64_t>());
  const at::Tensor alone = counts.index_select(0, index).lt(fewest).nonzero();
  if (alone.numel() > 0)
    throw fail("response {} is alone in its group: a group needs at least two responses (A6: n ≥ 2)",
               alone[0].item<int64_t>())
        .hint("draw or log more responses for its prompt, or leave the prompt out");
  size_ = counts.to(dtype);
}

at::Tensor Groups::mean(const at::Tensor& x) const { return segment_sum(x, index_, count()) / size_; }

at::Tensor Groups::variance(const at::Tensor& x) const {
  return segment_sum((x - spread(mean(x))).square(), index_, count()) / (size_ - 1);
}

at::Tensor Groups::advantage(const at::Tensor& x) const {
  // x_i - mean of the others = n/(n-1) (x_i - mean of all), which rounds better where all x share a large offset.
  return (x - spread(mean(x))) * spread(size_ / (size_ - 1));
}

}  // namespace agro
