#include "objective/agro_value.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/where.h>

#include "objective/diagnostics.h"
#include "objective/group.h"
#include "objective/option_checks.h"
#include "objective/prompt_value.h"

namespace agro {
namespace {

class AgroValue final : public Objective {
 public:
  explicit AgroValue(const AgroValueOptions& options) : options_(options) {
    detail::require_positive(options.beta, "beta");
    detail::require_nonnegative(options.value_coefficient, "value_coefficient");
  }

  std::string_view name() const override { return "agro_value"; }
  ObjectiveNeeds needs() const override { return {.values = true, .group_size = 1}; }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor rewards = regularized_rewards(input, options_.beta);
    const at::Tensor values = groups.spread(prompt_values(input));
    const at::Tensor single = groups.spread(groups.size()).eq(1);
    const at::Tensor center = at::where(single, values.detach(), groups.spread(groups.mean(rewards)));
    // n/(n-1) turns the mean over a group into A6's sum over n - 1.
    const at::Tensor weight = groups.size() / (groups.size() - 1).clamp_min(1);
    const at::Tensor policy_loss = (weight * groups.mean((rewards - center).square())).mean() / 2;
    const at::Tensor value_loss = groups.batch_mean((rewards.detach() - values).square()) / 2;

    Metrics metrics = common_metrics(input);
    metrics.emplace_back("regularized_reward_mean", groups.batch_mean(rewards).item<double>());
    metrics.emplace_back("single_fraction", groups.size().eq(1).to(at::kDouble).mean().item<double>());
    metrics.emplace_back("value_mean", groups.batch_mean(values).item<double>());
    metrics.emplace_back("value_loss", value_loss.item<double>());
    const double scale = options_.loss_scale == LossScale::kOneOverBeta ? 1 / options_.beta : 1;
    return {scale * policy_loss + options_.value_coefficient * value_loss, std::move(metrics)};
  }

  AgroValueOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_agro_value(const AgroValueOptions& options) {
  return std::make_unique<AgroValue>(options);
}

}  // namespace agro
