// Weighted likelihoods of stored responses: importance weights, TOPR, asymmetric REINFORCE, rejection fine-tuning.
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>

#include <cmath>

#include "objective/agro.h"
#include "objective/asymmetric_reinforce.h"
#include "objective/group.h"
#include "objective/importance_weighted.h"
#include "objective/rejection_sft.h"
#include "objective/test_support.h"
#include "objective/topr.h"

namespace agro {
namespace {

using namespace testing;

/// d loss / d logprobs of a loss that is the mean over prompts of the mean over responses of -weight_i log π(y_i|x).
at::Tensor gradient_of_weights(const at::Tensor& weight, const ObjectiveInput& input) {
  const Groups groups(input.group, at::kDouble, 1);
  const auto prompts = static_cast<double>(groups.count());
  return (-weight * groups.spread(1 / (groups.size() * prompts))).index_select(0, input.row);
}

at::Tensor ratio(const ObjectiveInput& input) {
  return sum_per_response(input.logprobs - input.behavior_logprobs, input).exp();
}

TEST(ImportanceWeighted, WeighsEachResponseByItsTruncatedRatio) {
  const ObjectiveInput input = random_batch(121, {3, 2, 5});
  const at::Tensor advantage = Groups(input.group, at::kDouble).advantage(regularized_rewards(input, 0.3));
  for (const double truncate : {0.5, 1.0, 1e6}) {
    const auto objective = make_importance_weighted({.beta = 0.3, .truncate = truncate});
    const auto result = evaluate_with_gradient(*objective, input);
    const at::Tensor weight = ratio(input).clamp_max(truncate);
    EXPECT_LT(largest_difference(result.logprobs, gradient_of_weights(weight * advantage, input)), 1e-13);
    EXPECT_NEAR(metric(result.metrics, "truncated_fraction"),
                ratio(input).gt(truncate).to(at::kDouble).mean().item<double>(), 1e-15);
    EXPECT_LE(metric(result.metrics, "effective_sample_share"), 1 + 1e-12);
  }
}

TEST(ImportanceWeighted, OnPolicyIsAgro) {
  ObjectiveInput input = random_batch(122, {3, 4});
  input.behavior_logprobs = input.logprobs.clone();
  const auto weighted = evaluate_with_gradient(*make_importance_weighted({.beta = 0.3}), input);
  const auto agro = evaluate_with_gradient(*make_agro({.beta = 0.3}), input);
  EXPECT_LT(largest_difference(weighted.logprobs, agro.logprobs), 1e-14);
  EXPECT_NEAR(metric(weighted.metrics, "effective_sample_share"), 1, 1e-14);
}

TEST(ImportanceWeighted, SurvivesRatiosThatOverflowAndUnderflow) {
  ObjectiveInput input = random_batch(123, {3});
  input.behavior_logprobs[0] = -5000.0;
  EXPECT_TRUE(evaluate_with_gradient(*make_importance_weighted({}), input).logprobs.isfinite().all().item<bool>());
  input.behavior_logprobs = input.logprobs + 5000;
  const auto result = evaluate_with_gradient(*make_importance_weighted({}), input);
  EXPECT_EQ(result.loss, 0);
  EXPECT_EQ(metric(result.metrics, "effective_sample_share"), 0);
}

TEST(Topr, TapersOnlyWhatIsBelowTheBaseline) {
  const ObjectiveInput input = random_batch(124, {3, 1, 5});
  const at::Tensor advantage = input.rewards - 0.2;
  const at::Tensor tapered = at::where(advantage.lt(0), ratio(input).clamp_max(1.0), at::ones_like(advantage));
  const auto result = evaluate_with_gradient(*make_topr({.baseline = 0.2}), input);
  EXPECT_LT(largest_difference(result.logprobs, gradient_of_weights(tapered * advantage, input)), 1e-13);
}

TEST(Topr, WithRewardsOfZeroAndOneIsHalfThePapersWithPlusAndMinusOne) {
  ObjectiveInput input = random_batch(125, {4, 3});
  input.rewards = input.rewards.gt(0).to(at::kDouble);
  const auto half = evaluate_with_gradient(*make_topr({}), input);
  input.rewards = 2 * input.rewards - 1;
  const auto paper = evaluate_with_gradient(*make_topr({.baseline = 0}), input);
  EXPECT_LT(largest_difference(2 * half.logprobs, paper.logprobs), 1e-14);
}

TEST(AsymmetricReinforce, ShiftsTheBaselineOfTheGroup) {
  const ObjectiveInput input = random_batch(126, {3, 2, 5});
  const Groups groups(input.group, at::kDouble);
  const at::Tensor advantage = input.rewards - groups.spread(groups.mean(input.rewards)) + 0.1;
  const auto result = evaluate_with_gradient(*make_asymmetric_reinforce({}), input);
  EXPECT_LT(largest_difference(result.logprobs, gradient_of_weights(advantage, input)), 1e-14);
}

TEST(RejectionSft, IsTheLikelihoodOfAcceptedResponses) {
  const ObjectiveInput input = random_batch(127, {3, 1, 5});
  const at::Tensor accepted = input.rewards.gt(0.1).to(at::kDouble);
  const auto result = evaluate_with_gradient(*make_rejection_sft({.reward_threshold = 0.1}), input);
  EXPECT_LT(largest_difference(result.logprobs, gradient_of_weights(accepted, input)), 1e-15);
  EXPECT_NEAR(metric(result.metrics, "accepted_fraction"), accepted.mean().item<double>(), 1e-15);

  const auto per_token =
      evaluate_with_gradient(*make_rejection_sft({.reward_threshold = 0.1, .length_normalize = true}), input);
  const at::Tensor length = input.row.bincount().to(at::kDouble);
  EXPECT_LT(largest_difference(per_token.logprobs, gradient_of_weights(accepted / length, input)), 1e-15);
}

TEST(OffPolicyGradient, RefusesBadOptionsAndMissingBehaviour) {
  EXPECT_NE(message_of([] { make_importance_weighted({.truncate = 0}); }).find("truncate must be above 0"),
            std::string::npos);
  EXPECT_NE(message_of([] { make_topr({.truncate = -1}); }).find("truncate must be above 0"), std::string::npos);
  EXPECT_NE(message_of([] { make_asymmetric_reinforce({.baseline_shift = INFINITY}); }).find("finite"),
            std::string::npos);
  ObjectiveInput input = random_batch(128, {2});
  input.behavior_logprobs = at::Tensor();
  for (const auto& objective : {make_importance_weighted({}), make_topr({})})
    EXPECT_NE(message_of([&] { objective->evaluate(input); }).find("needs behavior_logprobs"), std::string::npos);
}

}  // namespace
}  // namespace agro
