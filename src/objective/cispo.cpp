#include "objective/cispo.h"

#include <ATen/TensorOperators.h>

#include <algorithm>

#include "objective/clip.h"
#include "objective/diagnostics.h"
#include "objective/group.h"
#include "objective/option_checks.h"

namespace agro {
namespace {

class Cispo final : public Objective {
 public:
  explicit Cispo(const CispoOptions& options) : options_(options) {
    detail::require_nonnegative(options.beta, "beta");
    detail::require_positive(options.truncate, "truncate");
  }

  std::string_view name() const override { return "cispo"; }
  ObjectiveNeeds needs() const override {
    return {.behavior_logprobs = true,
            .full_vocabulary_kl = KlTerm{options_.beta, options_.kl_estimator}.needs_full_vocabulary()};
  }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor advantage = group_advantages(input.rewards, groups, options_.standardize);
    const at::Tensor ratio = importance_ratio((input.logprobs - input.behavior_logprobs).detach());
    const at::Tensor weight = ratio.clamp_max(options_.truncate) * spread_over_tokens(advantage, input);
    at::Tensor loss = -mean_over_tokens(weight * input.logprobs);
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("truncated_fraction",
                         mean_over_tokens(ratio.gt(options_.truncate).to(at::kDouble)).item<double>());
    ObjectiveResult result{std::move(loss), std::move(metrics)};
    KlTerm{options_.beta, options_.kl_estimator}.add_to(result, input, mean_over_tokens);
    return result;
  }

  CispoOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_cispo(const CispoOptions& options) { return std::make_unique<Cispo>(options); }

}  // namespace agro
