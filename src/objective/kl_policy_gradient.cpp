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
    return {.full_vocabulary_kl = KlTerm{options_.beta, options_.kl_estimator}.needs_full_vocabulary()};
  }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor reinforce =
        -groups.batch_mean(groups.advantage(input.rewards) * sum_per_response(input.logprobs, input));
    ObjectiveResult result{reinforce, common_metrics(input)};
    KlTerm{options_.beta, options_.kl_estimator}.add_to(
        result, input, [&](const at::Tensor& x) { return groups.batch_mean(sum_per_response(x, input)); });
    return result;
  }

  KlPolicyGradientOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_kl_policy_gradient(const KlPolicyGradientOptions& options) {
  return std::make_unique<KlPolicyGradient>(options);
}

}  // namespace agro
