#include "objective/gspo.h"

#include <ATen/TensorOperators.h>

#include "objective/diagnostics.h"
#include "objective/group.h"
#include "objective/option_checks.h"

namespace agro {
namespace {

class Gspo final : public Objective {
 public:
  explicit Gspo(const GspoOptions& options) : options_(options) {
    detail::require_nonnegative(options.beta, "beta");
    options.clip.check();
  }

  std::string_view name() const override { return "gspo"; }
  ObjectiveNeeds needs() const override {
    return {.behavior_logprobs = true,
            .full_vocabulary_kl = options_.beta > 0 && options_.kl_estimator == KlEstimator::kFullVocabulary};
  }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor advantage = group_advantages(input.rewards, groups, options_.standardize);
    const at::Tensor ratio = importance_ratio(mean_per_response(input.logprobs - input.behavior_logprobs, input));
    const ClippedSurrogate surrogate = clipped_surrogate(ratio, advantage, options_.clip);
    at::Tensor loss = -groups.batch_mean(surrogate.value);
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("clip_fraction", surrogate.clip_fraction());
    if (options_.beta > 0) {
      const at::Tensor penalty = groups.batch_mean(mean_per_response(token_kl(input, options_.kl_estimator), input));
      metrics.emplace_back("kl_penalty", penalty.item<double>());
      loss = loss + options_.beta * penalty;
    }
    return {std::move(loss), std::move(metrics)};
  }

  GspoOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_gspo(const GspoOptions& options) { return std::make_unique<Gspo>(options); }

}  // namespace agro
