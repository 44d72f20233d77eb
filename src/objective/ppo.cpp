#include "objective/ppo.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/maximum.h>

#include <algorithm>

#include "core/error.h"
#include "objective/advantage.h"
#include "objective/diagnostics.h"
#include "objective/group.h"
#include "objective/option_checks.h"

namespace agro {
namespace {

class Ppo final : public Objective {
 public:
  explicit Ppo(const PpoOptions& options) : options_(options) {
    options.clip.check();
    detail::require_nonnegative(options.beta, "beta");
    detail::require_nonnegative(options.value_coefficient, "value_coefficient");
    detail::require_nonnegative(options.value_clip, "value_clip");
    for (const auto& [value, what] : {std::pair{options.gamma, "gamma"}, {options.lambda, "lambda"}})
      if (!(value >= 0 && value <= 1)) throw fail("{} must be in [0, 1], found {}", what, value);
  }

  std::string_view name() const override { return "ppo"; }
  ObjectiveNeeds needs() const override { return {.behavior_logprobs = true, .values = true, .group_size = 1}; }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor old_values = (input.old_values.defined() ? input.old_values : input.values).detach();
    const at::Tensor rewards = token_rewards(input, options_.beta);
    const at::Tensor advantages =
        generalized_advantages(rewards, old_values, input.row, options_.gamma, options_.lambda);
    const ClippedSurrogate surrogate =
        clipped_surrogate(importance_ratio(input.logprobs - input.behavior_logprobs),
                          options_.whiten_advantages ? whiten(advantages) : advantages, options_.clip);
    const double tokens = static_cast<double>(std::max<int64_t>(input.row.size(0), 1));
    const at::Tensor policy_loss = -surrogate.value.sum() / tokens;
    const at::Tensor value_loss = value_errors(input.values, old_values, advantages + old_values).sum() / (2 * tokens);
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("regularized_reward_mean", groups.batch_mean(sum_per_response(rewards, input)).item<double>());
    metrics.emplace_back("policy_loss", policy_loss.item<double>());
    metrics.emplace_back("value_loss", value_loss.item<double>());
    metrics.emplace_back("clip_fraction", surrogate.clip_fraction());
    return {policy_loss + options_.value_coefficient * value_loss, std::move(metrics)};
  }

  at::Tensor value_errors(const at::Tensor& values, const at::Tensor& old_values, const at::Tensor& returns) const {
    const at::Tensor error = (values - returns).square();
    if (options_.value_clip == 0) return error;
    const at::Tensor kept = values.clamp(old_values - options_.value_clip, old_values + options_.value_clip);
    return at::maximum(error, (kept - returns).square());
  }

  PpoOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_ppo(const PpoOptions& options) { return std::make_unique<Ppo>(options); }

}  // namespace agro
