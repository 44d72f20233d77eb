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
            .full_vocabulary_kl = options_.beta > 0 && options_.kl_estimator == KlEstimator::kFullVocabulary};
  }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const auto token_mean = [](const at::Tensor& x) {
      return x.sum() / static_cast<double>(std::max<int64_t>(x.size(0), 1));
    };
    const at::Tensor advantage = group_advantages(input.rewards, groups, options_.standardize);
    const at::Tensor ratio = importance_ratio((input.logprobs - input.behavior_logprobs).detach());
    const at::Tensor weight = ratio.clamp_max(options_.truncate) * spread_over_tokens(advantage, input);
    at::Tensor loss = -token_mean(weight * input.logprobs);
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("truncated_fraction", token_mean(ratio.gt(options_.truncate).to(at::kDouble)).item<double>());
    if (options_.beta > 0) {
      const at::Tensor penalty = token_mean(token_kl(input, options_.kl_estimator));
      metrics.emplace_back("kl_penalty", penalty.item<double>());
      loss = loss + options_.beta * penalty;
    }
    return {std::move(loss), std::move(metrics)};
  }

  CispoOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_cispo(const CispoOptions& options) { return std::make_unique<Cispo>(options); }

}  // namespace agro
