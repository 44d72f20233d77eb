#include "objective/topr.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>

#include "objective/diagnostics.h"
#include "objective/group.h"
#include "objective/option_checks.h"

namespace agro {
namespace {

class Topr final : public Objective {
 public:
  explicit Topr(const ToprOptions& options) : options_(options) {
    detail::require_positive(options.truncate, "truncate");
  }

  std::string_view name() const override { return "topr"; }
  ObjectiveNeeds needs() const override { return {.behavior_response_logprobs = true, .group_size = 1}; }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor advantage = input.rewards - options_.baseline;
    const at::Tensor drift = behavior_log_ratio(input).detach();
    const at::Tensor ratio = drift.clamp_max(std::log(options_.truncate)).exp();
    const at::Tensor negative = advantage.lt(0);
    const at::Tensor weight = at::where(negative, ratio, at::ones_like(ratio));

    Metrics metrics = common_metrics(input);
    metrics.emplace_back("negative_fraction", negative.to(at::kDouble).mean().item<double>());
    const double count = negative.sum().item<double>();
    metrics.emplace_back("negative_weight_mean", (ratio * negative).sum().item<double>() / std::max(count, 1.0));
    return {-groups.batch_mean(weight * advantage * sum_per_response(input.logprobs, input)), std::move(metrics)};
  }

  ToprOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_topr(const ToprOptions& options) { return std::make_unique<Topr>(options); }

}  // namespace agro
