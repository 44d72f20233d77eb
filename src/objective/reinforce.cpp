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
    return {.full_vocabulary_kl = KlTerm{options_.beta, options_.kl_estimator}.needs_full_vocabulary()};
  }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor advantage = group_advantages(input.rewards, groups, options_.standardize);
    at::Tensor loss = -groups.batch_mean(advantage * sum_per_response(input.logprobs, input));
    Metrics metrics = common_metrics(input);
    ObjectiveResult result{std::move(loss), std::move(metrics)};
    KlTerm{options_.beta, options_.kl_estimator}.add_to(
        result, input, [&](const at::Tensor& x) { return groups.batch_mean(sum_per_response(x, input)); });
    return result;
  }

  ReinforceOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_reinforce(const ReinforceOptions& options) {
  return std::make_unique<Reinforce>(options);
}

}  // namespace agro
