#include "objective/importance_weighted.h"

#include <ATen/TensorOperators.h>

#include <cmath>

#include "objective/agro.h"
#include "objective/diagnostics.h"
#include "objective/group.h"
#include "objective/option_checks.h"

namespace agro {
namespace {

class ImportanceWeighted final : public Objective {
 public:
  explicit ImportanceWeighted(const ImportanceWeightedOptions& options) : options_(options) {
    detail::require_nonnegative(options.beta, "beta");
    detail::require_positive(options.truncate, "truncate");
  }

  std::string_view name() const override { return "importance_weighted"; }
  ObjectiveNeeds needs() const override { return {.behavior_response_logprobs = true}; }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor drift = behavior_log_ratio(input).detach();
    // Truncated before exp(), which would overflow.
    const at::Tensor weight = drift.clamp_max(std::log(options_.truncate)).exp();
    const at::Tensor rewards = regularized_rewards(input, options_.beta).detach();
    const at::Tensor coefficient = weight * groups.advantage(rewards);

    Metrics metrics = common_metrics(input);
    metrics.emplace_back("regularized_reward_mean", groups.batch_mean(rewards).item<double>());
    metrics.emplace_back("truncated_fraction",
                         drift.gt(std::log(options_.truncate)).to(at::kDouble).mean().item<double>());
    const at::Tensor precise = weight.to(at::kDouble);
    const double squares = precise.square().mean().item<double>(), mean = precise.mean().item<double>();
    metrics.emplace_back("effective_sample_share", squares > 0 ? mean * mean / squares : 0);
    return {-groups.batch_mean(coefficient * sum_per_response(input.logprobs, input)), std::move(metrics)};
  }

  ImportanceWeightedOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_importance_weighted(const ImportanceWeightedOptions& options) {
  return std::make_unique<ImportanceWeighted>(options);
}

}  // namespace agro
