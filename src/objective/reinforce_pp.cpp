#include "objective/reinforce_pp.h"

#include <ATen/TensorOperators.h>

#include <algorithm>

#include "core/error.h"
#include "objective/advantage.h"
#include "objective/diagnostics.h"
#include "objective/group.h"
#include "objective/option_checks.h"

namespace agro {
namespace {

class ReinforcePp final : public Objective {
 public:
  explicit ReinforcePp(const ReinforcePpOptions& options) : options_(options) {
    detail::require_nonnegative(options.beta, "beta");
    if (!(options.gamma >= 0 && options.gamma <= 1)) throw fail("gamma must be in [0, 1], found {}", options.gamma);
    options.clip.check();
  }

  std::string_view name() const override { return "reinforce_pp"; }
  ObjectiveNeeds needs() const override { return {.behavior_logprobs = true, .group_size = 1}; }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor rewards = token_rewards(input, options_.beta);
    const at::Tensor advantage = whiten(discounted_sums(rewards, input.row, options_.gamma));
    const ClippedSurrogate surrogate =
        clipped_surrogate(importance_ratio(input.logprobs - input.behavior_logprobs), advantage, options_.clip);
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("regularized_reward_mean", groups.batch_mean(sum_per_response(rewards, input)).item<double>());
    metrics.emplace_back("clip_fraction", surrogate.clip_fraction());
    return {-surrogate.value.sum() / static_cast<double>(std::max<int64_t>(input.row.size(0), 1)), std::move(metrics)};
  }

  ReinforcePpOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_reinforce_pp(const ReinforcePpOptions& options) {
  return std::make_unique<ReinforcePp>(options);
}

}  // namespace agro
