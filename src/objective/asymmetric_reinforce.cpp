#include "objective/asymmetric_reinforce.h"

#include <ATen/TensorOperators.h>

#include <cmath>

#include "core/error.h"
#include "objective/diagnostics.h"
#include "objective/group.h"

namespace agro {
namespace {

class AsymmetricReinforce final : public Objective {
 public:
  explicit AsymmetricReinforce(const AsymmetricReinforceOptions& options) : options_(options) {
    if (!std::isfinite(options.baseline_shift))
      throw fail("baseline_shift must be finite, found {}", options.baseline_shift);
  }

  std::string_view name() const override { return "asymmetric_reinforce"; }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor baseline = groups.spread(groups.mean(input.rewards)) + options_.baseline_shift;
    const at::Tensor advantage = input.rewards - baseline;
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("positive_fraction", advantage.gt(0).to(at::kDouble).mean().item<double>());
    return {-groups.batch_mean(advantage * sum_per_response(input.logprobs, input)), std::move(metrics)};
  }

  AsymmetricReinforceOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_asymmetric_reinforce(const AsymmetricReinforceOptions& options) {
  return std::make_unique<AsymmetricReinforce>(options);
}

}  // namespace agro
