#include "objective/dro.h"

#include <ATen/TensorOperators.h>

#include "objective/agro.h"
#include "objective/diagnostics.h"
#include "objective/group.h"
#include "objective/option_checks.h"
#include "objective/prompt_value.h"

namespace agro {
namespace {

class Dro final : public Objective {
 public:
  explicit Dro(const DroOptions& options) : options_(options) {
    detail::require_positive(options.beta, "beta");
    detail::require_nonnegative(options.value_coefficient, "value_coefficient");
  }

  std::string_view name() const override { return "dro"; }
  ObjectiveNeeds needs() const override { return {.values = true, .group_size = 1}; }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor rewards = regularized_rewards(input, options_.beta);
    const at::Tensor values = groups.spread(prompt_values(input));
    const at::Tensor policy_loss = groups.batch_mean((rewards - values.detach()).square()) / 2;
    const at::Tensor value_loss = groups.batch_mean((rewards.detach() - values).square()) / 2;
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("value_mean", groups.batch_mean(values).item<double>());
    metrics.emplace_back("value_loss", value_loss.item<double>());
    return {policy_loss / options_.beta + options_.value_coefficient * value_loss, std::move(metrics)};
  }

  DroOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_dro(const DroOptions& options) { return std::make_unique<Dro>(options); }

}  // namespace agro
