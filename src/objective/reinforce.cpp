#include "objective/reinforce.h"

#include <ATen/TensorOperators.h>

#include "objective/diagnostics.h"
#include "objective/group.h"
#include "objective/option_checks.h"

namespace agro {
namespace {

class Reinforce final : public Objective {
 public:
  explicit Reinforce(const ReinforceOptions& options) : options_(options) {
    detail::require_nonnegative(options.beta, "beta");
  }

  std::string_view name() const override { return "reinforce"; }
  ObjectiveNeeds needs() const override {
    return {.full_vocabulary_kl = options_.beta > 0 && options_.kl_estimator == KlEstimator::kFullVocabulary};
  }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor advantage = group_advantages(input.rewards, groups, options_.standardize);
    at::Tensor loss = -groups.batch_mean(advantage * sum_per_response(input.logprobs, input));
    Metrics metrics = common_metrics(input);
    if (options_.beta > 0) {
      const at::Tensor penalty = groups.batch_mean(sum_per_response(token_kl(input, options_.kl_estimator), input));
      metrics.emplace_back("kl_penalty", penalty.item<double>());
      loss = loss + options_.beta * penalty;
    }
    return {std::move(loss), std::move(metrics)};
  }

  ReinforceOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_reinforce(const ReinforceOptions& options) {
  return std::make_unique<Reinforce>(options);
}

}  // namespace agro
