// RLOO and the KL-regularised policy gradient: what AGRO is compared with.
#include <cmath>

#include "objective/agro.h"
#include "objective/group.h"
#include "objective/kl_policy_gradient.h"
#include "objective/rloo.h"
#include "objective/test_support.h"

namespace agro {
namespace {

using namespace testing;

TEST(Rloo, MatchesTheGoldenCases) {
  for (const Json& item : golden_cases("rloo")) {
    const ObjectiveInput input = golden_input(item["inputs"]);
    const Json &mask = item["inputs"]["mask"], &outputs = item["outputs"];
    const double beta = item["params"]["kl_beta"];

    const Json& reinforce = outputs["reinforce_form"];
    const auto plain = evaluate_with_gradient(*make_rloo({.beta = beta}), input);
    EXPECT_NEAR(plain.loss, reinforce["loss"].get<double>(), 1e-10);
    EXPECT_LT(largest_difference(plain.logprobs, packed(reinforce["grad_logp"], mask)), 1e-10);
    EXPECT_NEAR(metric(plain.metrics, "regularized_reward_mean"),
                flat(outputs["kl_regularized_rewards"]).mean().item<double>(), 1e-10);

    const auto clipped = evaluate_with_gradient(*make_rloo({.beta = beta, .clip_epsilon = 0.2}), input);
    for (const Json& expected : {outputs["clipped_sequence_ratio_form_eps0p2"], item["trl"]["v1.9.0"]}) {
      EXPECT_NEAR(clipped.loss, expected["loss"].get<double>(), 1e-10);
      EXPECT_LT(largest_difference(clipped.logprobs, packed(expected["grad_logp"], mask)), 1e-10);
    }
  }
}

TEST(Rloo, AgreesWithCentralDifferences) {
  const ObjectiveInput input = random_batch(51, {3, 2, 4});
  EXPECT_LT(central_difference_gap(*make_rloo({}), input), 1e-9);
  EXPECT_LT(central_difference_gap(*make_rloo({.clip_epsilon = 0.2}), input), 1e-9);
}

TEST(Rloo, ClippedFormStartsAsReinforce) {
  ObjectiveInput input = random_batch(52, {3, 4});
  input.behavior_logprobs = input.logprobs.clone();
  const auto clipped = evaluate_with_gradient(*make_rloo({.clip_epsilon = 0.2}), input);
  const auto reinforce = evaluate_with_gradient(*make_rloo({}), input);
  EXPECT_LT(largest_difference(clipped.logprobs, reinforce.logprobs), 1e-14);
  EXPECT_EQ(metric(clipped.metrics, "clip_fraction"), 0);
}

TEST(Rloo, OnPolicyGradientIsAgros) {
  ObjectiveInput input = random_batch(53, {3, 4});
  input.behavior_logprobs = at::Tensor();
  const at::Tensor rloo = evaluate_with_gradient(*make_rloo({.beta = 0.3}), input).logprobs;
  const at::Tensor agro = evaluate_with_gradient(*make_agro({.beta = 0.3}), input).logprobs;
  EXPECT_LT(largest_difference(rloo, agro), 1e-14);
}

TEST(Rloo, AnOverflowingRatioIsNeverNan) {
  ObjectiveInput input = random_batch(59, {3});
  input.rewards.fill_(1.0);
  input.behavior_logprobs[0] = -5000.0;
  const auto result = evaluate_with_gradient(*make_rloo({.beta = 0, .clip_epsilon = 0.2}), input);
  EXPECT_EQ(result.loss, 0);
  EXPECT_FALSE(result.logprobs.isnan().any().item<bool>());
}

TEST(Rloo, RefusesBadOptions) {
  EXPECT_NE(message_of([] { make_rloo({.beta = -1}); }).find("at least 0"), std::string::npos);
  EXPECT_NE(message_of([] { make_rloo({.clip_epsilon = 1}); }).find("[0, 1)"), std::string::npos);
}

TEST(KlPolicyGradient, IsA11WithK3) {
  const ObjectiveInput input = random_batch(54, {2, 3});
  const double beta = 0.7;
  const auto result = evaluate_with_gradient(*make_kl_policy_gradient({.beta = beta}), input);
  // By hand: -(r_i - r̄_{-i})/(G n) + β/(G n) (1 - π_ref/π) for each token.
  const Groups groups(input.group, at::kDouble);
  const at::Tensor share = groups.spread(1 / (groups.size() * 2)).index_select(0, input.row);
  const at::Tensor advantage = groups.advantage(input.rewards).index_select(0, input.row);
  const at::Tensor pull = 1 - (input.ref_logprobs - input.logprobs).exp();
  EXPECT_LT(largest_difference(result.logprobs, share * (beta * pull - advantage)), 1e-14);
  EXPECT_LT(central_difference_gap(*make_kl_policy_gradient({.beta = beta}), input), 1e-9);
}

TEST(KlPolicyGradient, UsesTheExactKlOfEveryTokenWhenGiven) {
  ObjectiveInput input = random_batch(55, {2, 3});
  input.full_vocabulary_kl = input.logprobs.abs();
  const KlPolicyGradientOptions options{.beta = 0.7, .kl_estimator = KlEstimator::kFullVocabulary};
  const auto result = evaluate_with_gradient(*make_kl_policy_gradient(options), input);
  const Groups groups(input.group, at::kDouble);
  const at::Tensor share = groups.spread(1 / (groups.size() * 2)).index_select(0, input.row);
  EXPECT_LT(largest_difference(result.full_vocabulary_kl, 0.7 * share), 1e-15);
  EXPECT_NEAR(metric(result.metrics, "kl_penalty"), (share * input.full_vocabulary_kl).sum().item<double>(), 1e-14);
  const auto none = evaluate_with_gradient(*make_kl_policy_gradient({.beta = 0}), input);
  EXPECT_FALSE(none.full_vocabulary_kl.defined());
  EXPECT_LT(largest_difference(none.logprobs, result.logprobs), 1e-15);
}

TEST(KlPolicyGradient, MeetsAgroAtTheReference) {
  ObjectiveInput input = random_batch(56, {4, 2});
  input.ref_logprobs = input.logprobs.clone();
  const at::Tensor foil = evaluate_with_gradient(*make_kl_policy_gradient({.beta = 0.3}), input).logprobs;
  const at::Tensor agro = evaluate_with_gradient(*make_agro({.beta = 0.3}), input).logprobs;
  EXPECT_LT(largest_difference(foil, agro), 1e-14);
}

TEST(KlPolicyGradient, AtTheOptimumStillMovesWhereAgroRests) {
  ObjectiveInput input = random_batch(57, {4});
  input.rewards = 0.3 * log_ratio(input);
  EXPECT_GT(evaluate_with_gradient(*make_kl_policy_gradient({.beta = 0.3}), input).logprobs.abs().max().item<double>(),
            1e-2);
  EXPECT_LT(evaluate_with_gradient(*make_agro({.beta = 0.3}), input).logprobs.abs().max().item<double>(), 1e-14);
}

TEST(KlPolicyGradient, OverflowIsInfiniteButNeverNan) {
  ObjectiveInput input = random_batch(58, {2});
  input.logprobs[0] = -2000.0;
  const auto result = evaluate_with_gradient(*make_kl_policy_gradient({}), input);
  EXPECT_TRUE(std::isinf(result.loss));
  EXPECT_FALSE(result.logprobs.isnan().any().item<bool>());
  EXPECT_TRUE(std::isfinite(evaluate_with_gradient(*make_kl_policy_gradient({.beta = 0}), input).loss));
}

}  // namespace
}  // namespace agro
