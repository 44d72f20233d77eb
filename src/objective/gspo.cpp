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
    return {.behavior_response_logprobs = true,
            .full_vocabulary_kl = KlTerm{options_.beta, options_.kl_estimator}.needs_full_vocabulary()};
  }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor advantage = group_advantages(input.rewards, groups, options_.standardize);
    const at::Tensor lengths = sum_per_response(at::ones_like(input.ref_logprobs), input).clamp_min(1);
    const at::Tensor ratio = importance_ratio(behavior_log_ratio(input) / lengths);
    const ClippedSurrogate surrogate = clipped_surrogate(ratio, advantage, options_.clip);
    at::Tensor loss = -groups.batch_mean(surrogate.value);
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("clip_fraction", surrogate.clip_fraction());
    ObjectiveResult result{std::move(loss), std::move(metrics)};
    KlTerm{options_.beta, options_.kl_estimator}.add_to(
        result, input, [&](const at::Tensor& x) { return groups.batch_mean(mean_per_response(x, input)); });
    return result;
  }

  GspoOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_gspo(const GspoOptions& options) { return std::make_unique<Gspo>(options); }

}  // namespace agro
