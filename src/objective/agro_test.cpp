#include "objective/agro.h"

#include "objective/group.h"
#include "objective/rloo.h"
#include "objective/test_support.h"

namespace agro {
namespace {

using namespace testing;

const std::vector<int64_t> kRagged = {2, 5, 3, 4};

std::unique_ptr<Objective> unscaled(double beta) { return make_agro({.beta = beta, .loss_scale = LossScale::kNone}); }

TEST(Agro, MatchesTheGoldenCases) {
  for (const Json& item : golden_cases("agro")) {
    const ObjectiveInput input = golden_input(item["inputs"]);
    const Json &mask = item["inputs"]["mask"], &outputs = item["outputs"];
    const double beta = item["params"]["beta"];
    const double n = item["inputs"]["n"];

    const at::Tensor rewards = regularized_rewards(input, beta);
    EXPECT_LT(largest_difference(rewards, flat(outputs["regularized_rewards"])), 1e-10);
    const at::Tensor advantages = Groups(input.group, at::kDouble).advantage(rewards);
    EXPECT_LT(largest_difference(advantages, flat(outputs["loo_advantages"])), 1e-10);

    const auto variance = evaluate_with_gradient(*unscaled(beta), input);
    EXPECT_NEAR(variance.loss, outputs["variance_loss"].get<double>(), 1e-10);
    EXPECT_LT(largest_difference(variance.logprobs, packed(outputs["grad_logp_variance"], mask)), 1e-10);

    const auto surrogate = evaluate_with_gradient(*make_agro({.beta = beta, .form = AgroForm::kSurrogate}), input);
    EXPECT_NEAR(surrogate.loss, outputs["loo_pg_loss"].get<double>(), 1e-10);
    EXPECT_LT(largest_difference(surrogate.logprobs, packed(outputs["grad_logp_loo_pg"], mask)), 1e-10);

    const double trajectory_balance = item["tba"]["tb_loss"];
    EXPECT_NEAR(2 * (n - 1) / (n * beta * beta) * variance.loss / trajectory_balance, 1, 1e-12);
  }
}

TEST(Agro, FormsAndScalesShareOneGradient) {
  const ObjectiveInput input = random_batch(11, kRagged);
  for (const double beta : {1e-3, 0.3, 4.0}) {
    const at::Tensor reference = evaluate_with_gradient(*unscaled(beta), input).logprobs;
    for (const AgroForm form : {AgroForm::kVariance, AgroForm::kSurrogate}) {
      const auto divided = evaluate_with_gradient(*make_agro({.beta = beta, .form = form}), input);
      EXPECT_LT(largest_difference(divided.logprobs * beta, reference), 1e-13);
    }
    const AgroOptions surrogate{.beta = beta, .loss_scale = LossScale::kNone, .form = AgroForm::kSurrogate};
    EXPECT_LT(largest_difference(evaluate_with_gradient(*make_agro(surrogate), input).logprobs, reference), 1e-13);
  }
}

TEST(Agro, AgreesWithCentralDifferencesOnRaggedGroups) {
  EXPECT_LT(central_difference_gap(*unscaled(0.7), random_batch(12, kRagged)), 1e-9);
}

TEST(Agro, IgnoresAShiftOfAGroupsRewards) {
  ObjectiveInput input = random_batch(13, kRagged);
  const auto before = evaluate_with_gradient(*make_agro({}), input);
  input.rewards = input.rewards + doubles({3.0, -70.0, 0.25, 11.0}).index_select(0, input.group);
  const auto after = evaluate_with_gradient(*make_agro({}), input);
  EXPECT_NEAR(before.loss, after.loss, 1e-11);
  EXPECT_LT(largest_difference(before.logprobs, after.logprobs), 1e-12);
}

TEST(Agro, OfAPairIsAQuarterOfTheSquaredDifference) {
  const ObjectiveInput input = random_batch(14, {2});
  const at::Tensor rewards = regularized_rewards(input, 0.4);
  const double difference = (rewards[0] - rewards[1]).item<double>();
  EXPECT_NEAR(unscaled(0.4)->evaluate(input).loss.item<double>(), difference * difference / 4, 1e-14);
}

TEST(Agro, AtTheReferenceIsLeaveOneOutReinforceForEveryBeta) {
  ObjectiveInput input = random_batch(15, kRagged);
  input.ref_logprobs = input.logprobs.clone();
  input.behavior_logprobs = at::Tensor();
  const at::Tensor reinforce = evaluate_with_gradient(*make_rloo({.beta = 0}), input).logprobs;
  for (const double beta : {0.0, 1e-4, 0.1, 30.0})
    EXPECT_LT(largest_difference(evaluate_with_gradient(*make_agro({.beta = beta}), input).logprobs, reinforce), 1e-14);
}

TEST(Agro, TendsToLeaveOneOutReinforceAsBetaVanishes) {
  ObjectiveInput input = random_batch(16, kRagged);
  input.behavior_logprobs = at::Tensor();
  const auto reinforce = evaluate_with_gradient(*make_rloo({.beta = 0}), input);
  const auto zero = evaluate_with_gradient(*make_agro({.beta = 0}), input);
  EXPECT_EQ(largest_difference(zero.logprobs, reinforce.logprobs), 0);
  EXPECT_NEAR(zero.loss, reinforce.loss, 1e-15);
  const auto gap = [&](double beta) {
    return largest_difference(evaluate_with_gradient(*make_agro({.beta = beta}), input).logprobs, reinforce.logprobs);
  };
  EXPECT_NEAR(gap(1e-3) / gap(1e-4), 10, 1e-6);  // the departure is linear in beta
  EXPECT_LT(gap(1e-8), 1e-7);
}

TEST(Agro, GroupsOfEqualRewardsStillPull) {
  ObjectiveInput input = random_batch(17, {4, 3});
  input.rewards.fill_(1.0);
  const auto result = evaluate_with_gradient(*unscaled(0.5), input);
  EXPECT_GT(result.loss, 1e-3);
  EXPECT_GT(result.logprobs.abs().min().item<double>(), 1e-6);
  EXPECT_EQ(metric(result.metrics, "equal_reward_groups"), 1);
}

TEST(Agro, BetaZeroIsRefusedWhereItHasNoMeaning) {
  EXPECT_NE(message_of([] { unscaled(0); }).find("no gradient at all"), std::string::npos);
  EXPECT_NE(message_of([] { make_agro({.beta = 0, .through_sampling = true}); }).find("not defined"),
            std::string::npos);
  EXPECT_NE(message_of([] { make_agro({.beta = -0.1}); }).find("at least 0"), std::string::npos);
}

TEST(Agro, OnPolicyFormsRefuseOtherSources) {
  ObjectiveInput input = random_batch(18, {3, 2});
  for (const AgroOptions& options : {AgroOptions{.through_sampling = true}, AgroOptions{.credit = Credit::kToken}}) {
    const auto objective = make_agro(options);
    input.on_policy = at::Tensor();
    EXPECT_NE(message_of([&] { objective->evaluate(input); }).find("does not say which"), std::string::npos);
    input.on_policy = input.rewards.isfinite();
    EXPECT_EQ(message_of([&] { objective->evaluate(input); }), "");
    input.on_policy[3] = false;
    EXPECT_NE(message_of([&] { objective->evaluate(input); }).find("1 of 5 are not (response 3 first)"),
              std::string::npos);
  }
}

TEST(Agro, ReportsTheGapOnlyForOnPolicyGroups) {
  ObjectiveInput input = random_batch(19, {3, 2});
  EXPECT_FALSE(has_metric(make_agro({})->evaluate(input).metrics, "optimality_gap"));
  input.on_policy = input.group.eq(0);
  const double one_group = metric(make_agro({})->evaluate(input).metrics, "optimality_gap");
  EXPECT_GT(one_group, 0);
  input.on_policy = input.group.eq(input.group);
  EXPECT_NE(metric(make_agro({})->evaluate(input).metrics, "optimality_gap"), one_group);
}

TEST(Agro, AtTheOptimumHasNoLossNoGradientNoGap) {
  ObjectiveInput input = random_batch(20, {4});
  const double beta = 0.3;
  // Rewards for which this policy is the optimum: r = β log π/π_ref + V*.
  input.rewards = beta * log_ratio(input) + 1.5;
  input.on_policy = input.group.eq(0);
  const auto result = evaluate_with_gradient(*make_agro({.beta = beta}), input);
  EXPECT_LT(result.loss, 1e-25);
  EXPECT_LT(result.logprobs.abs().max().item<double>(), 1e-14);
  EXPECT_LT(metric(result.metrics, "optimality_gap"), 1e-14);
  EXPECT_NEAR(metric(result.metrics, "regularized_reward_mean"), 1.5, 1e-14);
}

TEST(Agro, KeepsTheInputsPrecision) {
  ObjectiveInput input = random_batch(21, kRagged);
  const double exact = make_agro({})->evaluate(input).loss.item<double>();
  for (at::Tensor* x : {&input.logprobs, &input.ref_logprobs, &input.behavior_logprobs, &input.rewards})
    *x = x->to(at::kFloat);
  const ObjectiveResult result = make_agro({})->evaluate(input);
  EXPECT_EQ(result.loss.scalar_type(), at::kFloat);
  EXPECT_NEAR(result.loss.item<double>() / exact, 1, 1e-5);
  EXPECT_EQ(evaluate_with_gradient(*make_agro({}), input).logprobs.scalar_type(), at::kFloat);
}

}  // namespace
}  // namespace agro
