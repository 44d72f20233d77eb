#include "objective/rloo.h"

#include <ATen/TensorOperators.h>

#include "core/error.h"
#include "objective/clip.h"
#include "objective/diagnostics.h"
#include "objective/group.h"

namespace agro {
namespace {

class Rloo final : public Objective {
 public:
  explicit Rloo(const RlooOptions& options) : options_(options) {
    if (!(options.beta >= 0)) throw fail("beta must be at least 0, found {}", options.beta);
    if (!(options.clip_epsilon >= 0 && options.clip_epsilon < 1))
      throw fail("clip_epsilon must be in [0, 1), found {}", options.clip_epsilon);
  }

  std::string_view name() const override { return "rloo"; }
  ObjectiveNeeds needs() const override {
    const bool clipped = options_.clip_epsilon > 0;
    return {.behavior_response_logprobs = clipped, .behavior_where_known = !clipped};
  }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const bool known = input.behavior_logprobs.defined() || input.behavior_response_logprobs.defined();
    const at::Tensor moved = known ? behavior_log_ratio(input) : at::Tensor();
    const at::Tensor policy = log_ratio(input);
    const at::Tensor rewards = input.rewards - options_.beta * (known ? policy - moved : policy).detach();
    const at::Tensor advantage = groups.advantage(rewards);
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("regularized_reward_mean", groups.batch_mean(rewards).item<double>());
    if (options_.clip_epsilon == 0)
      return {-groups.batch_mean(advantage * sum_per_response(input.logprobs, input)), std::move(metrics)};

    const ClippedSurrogate surrogate = clipped_surrogate(importance_ratio(moved), advantage,
                                                         {.low = options_.clip_epsilon, .high = options_.clip_epsilon});
    metrics.emplace_back("clip_fraction", surrogate.clip_fraction());
    return {-groups.batch_mean(surrogate.value), std::move(metrics)};
  }

  RlooOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_rloo(const RlooOptions& options) { return std::make_unique<Rloo>(options); }

}  // namespace agro
