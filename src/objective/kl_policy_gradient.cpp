#include "objective/kl_policy_gradient.h"

#include <ATen/TensorOperators.h>

#include "core/error.h"
#include "objective/diagnostics.h"
#include "objective/group.h"

namespace agro {
namespace {

class KlPolicyGradient final : public Objective {
 public:
  explicit KlPolicyGradient(const KlPolicyGradientOptions& options) : options_(options) {
    if (!(options.beta >= 0)) throw fail("beta must be at least 0, found {}", options.beta);
  }

  std::string_view name() const override { return "kl_policy_gradient"; }
  ObjectiveNeeds needs() const override {
    return {.full_vocabulary_kl = options_.kl_estimator == KlEstimator::kFullVocabulary};
  }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor reinforce =
        -groups.batch_mean(groups.advantage(input.rewards) * sum_per_response(input.logprobs, input));
    const at::Tensor penalty = groups.batch_mean(sum_per_response(token_kl(input, options_.kl_estimator), input));
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("kl_penalty", penalty.item<double>());
    // Without the branch β = 0 would turn an overflowing k3 into 0 · ∞.
    return {options_.beta == 0 ? reinforce : reinforce + options_.beta * penalty, std::move(metrics)};
  }

  KlPolicyGradientOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_kl_policy_gradient(const KlPolicyGradientOptions& options) {
  return std::make_unique<KlPolicyGradient>(options);
}

}  // namespace agro
