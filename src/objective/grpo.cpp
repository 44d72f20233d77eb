#include "objective/grpo.h"

#include <ATen/TensorOperators.h>

#include <algorithm>

#include "core/error.h"
#include "objective/diagnostics.h"
#include "objective/group.h"
#include "objective/option_checks.h"

namespace agro {
namespace {

class Grpo final : public Objective {
 public:
  explicit Grpo(const GrpoOptions& options) : options_(options) {
    detail::require_nonnegative(options.beta, "beta");
    options.clip.check();
    if (options.normalization == Normalization::kConstantLength && options.constant_length < 1)
      throw Error("normalization = \"dr_grpo\" needs the constant it divides by")
          .hint("set normalization_length to the longest response that is generated, or to 1 for plain sums");
  }

  std::string_view name() const override { return "grpo"; }
  ObjectiveNeeds needs() const override {
    return {.behavior_logprobs = true,
            .full_vocabulary_kl = KlTerm{options_.beta, options_.kl_estimator}.needs_full_vocabulary()};
  }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor advantage = group_advantages(input.rewards, groups, options_.standardize);
    const at::Tensor ratio = importance_ratio(input.logprobs - input.behavior_logprobs);
    const ClippedSurrogate surrogate = clipped_surrogate(ratio, spread_over_tokens(advantage, input), options_.clip);
    at::Tensor loss = -normalized(surrogate.value, input, groups);
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("clip_fraction", surrogate.clip_fraction());
    ObjectiveResult result{std::move(loss), std::move(metrics)};
    KlTerm{options_.beta, options_.kl_estimator}.add_to(
        result, input, [&](const at::Tensor& x) { return normalized(x, input, groups); });
    return result;
  }

  at::Tensor normalized(const at::Tensor& x, const ObjectiveInput& input, const Groups& groups) const {
    switch (options_.normalization) {
      case Normalization::kTokenCount:
        return mean_over_tokens(x);
      case Normalization::kConstantLength:
        return groups.batch_mean(sum_per_response(x, input)) / static_cast<double>(options_.constant_length);
      case Normalization::kResponseLength:
        break;
    }
    return groups.batch_mean(mean_per_response(x, input));
  }

  GrpoOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_grpo(const GrpoOptions& options) { return std::make_unique<Grpo>(options); }

}  // namespace agro
