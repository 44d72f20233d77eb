#include "objective/advantage.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "core/error.h"
#include "objective/group.h"

namespace agro {
namespace {

/// [N] bool: the last token of its response.
at::Tensor ends_response(const at::Tensor& row) {
  if (row.size(0) == 0) return row.to(at::kBool);
  return at::cat({row.diff().ne(0), at::ones({1}, row.options().dtype(at::kBool))});
}

}  // namespace

at::Tensor group_advantages(const at::Tensor& rewards, const Groups& groups, Standardize standardize) {
  constexpr double kSmallest = 1e-4;
  const at::Tensor centered = rewards - groups.spread(groups.mean(rewards));
  if (standardize == Standardize::kNone) return centered;
  if (standardize == Standardize::kBatch) return centered / (rewards.std() + kSmallest);
  return centered / (groups.spread(groups.variance(rewards)).sqrt() + kSmallest);
}

at::Tensor whiten(const at::Tensor& x) {
  if (x.numel() == 1) throw Error("advantages of a single token cannot be standardised over the batch");
  if (x.numel() == 0) return x.detach();
  const at::Tensor values = x.detach();
  return (values - values.mean()) * (values.var() + 1e-8).rsqrt();
}

at::Tensor token_rewards(const ObjectiveInput& input, double beta) {
  const at::Tensor penalty = beta * (input.behavior_logprobs - input.ref_logprobs).detach();
  const at::Tensor at_end = ends_response(input.row).to(penalty.scalar_type());
  return at_end * spread_over_tokens(input.rewards, input) - penalty;
}

at::Tensor discounted_sums(const at::Tensor& x, const at::Tensor& row, double decay) {
  const at::Tensor values = x.detach().to(at::kCPU, at::kDouble).contiguous();
  const at::Tensor rows = row.to(at::kCPU).contiguous();
  at::Tensor sums = at::empty_like(values);
  const double* value = values.data_ptr<double>();
  const int64_t* response = rows.data_ptr<int64_t>();
  double* sum = sums.data_ptr<double>();
  for (int64_t t = values.size(0) - 1; t >= 0; --t) {
    const bool ends = t + 1 == values.size(0) || response[t + 1] != response[t];
    sum[t] = value[t] + (ends ? 0 : decay * sum[t + 1]);
  }
  return sums.to(x.device(), x.scalar_type());
}

at::Tensor generalized_advantages(const at::Tensor& rewards, const at::Tensor& values, const at::Tensor& row,
                                  double gamma, double lambda) {
  const at::Tensor value = values.detach();
  const at::Tensor next =
      at::cat({value.slice(0, 1), at::zeros({std::min<int64_t>(value.size(0), 1)}, value.options())})
          .masked_fill(ends_response(row), 0);
  return discounted_sums(rewards + gamma * next - value, row, gamma * lambda);
}

}  // namespace agro
