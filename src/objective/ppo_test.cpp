// PPO and REINFORCE++: advantages per token, the KL in the reward.
#include "objective/ppo.h"

#include <cmath>

#include "objective/advantage.h"
#include "objective/reinforce_pp.h"
#include "objective/test_support.h"

namespace agro {
namespace {

using namespace testing;

TEST(Ppo, MatchesTheGoldenCases) {
  for (const Json& item : golden_cases("ppo")) {
    const Json &params = item["params"], &outputs = item["outputs"], &mask = item["inputs"]["mask"];
    Json inputs = item["inputs"];
    inputs["n"] = 1;
    ObjectiveInput input = golden_input(inputs);
    input.values = packed(inputs["values_new"], mask);
    input.old_values = packed(inputs["values_old"], mask);
    const PpoOptions options{.beta = params["kl_coef"],
                             .clip = {.low = params["clip"], .high = params["clip"]},
                             .gamma = params["gamma"],
                             .lambda = params["lam"],
                             .value_coefficient = params["vf_coef"],
                             .value_clip = params["clip_value"]};

    const at::Tensor rewards = token_rewards(input, options.beta);
    EXPECT_LT(largest_difference(rewards, packed(outputs["token_rewards"], mask)), 1e-10);
    const at::Tensor advantages =
        generalized_advantages(rewards, input.old_values, input.row, options.gamma, options.lambda);
    EXPECT_LT(largest_difference(advantages, packed(outputs["advantages"], mask)), 1e-10);
    EXPECT_LT(largest_difference(advantages + input.old_values, packed(outputs["returns"], mask)), 1e-10);
    EXPECT_LT(largest_difference(whiten(advantages), packed(outputs["whitened_advantages"], mask)), 1e-10);
    EXPECT_LT(largest_difference(whiten(advantages), packed(item["trl"]["v0.19.1"]["whitened_advantages"], mask)),
              1e-10);

    const auto result = evaluate_with_gradient(*make_ppo(options), input);
    EXPECT_NEAR(result.loss, outputs["total"].get<double>(), 1e-10);
    EXPECT_NEAR(metric(result.metrics, "policy_loss"), outputs["policy_loss"].get<double>(), 1e-10);
    EXPECT_NEAR(metric(result.metrics, "value_loss"), outputs["value_loss"].get<double>(), 1e-10);
    EXPECT_LT(largest_difference(result.logprobs, packed(outputs["grad_logp"], mask)), 1e-10);
    EXPECT_LT(largest_difference(result.values, packed(outputs["grad_values_new"], mask)), 1e-10);
  }
}

TEST(Ppo, TakesCurrentValuesWhereOldOnesAreMissing) {
  ObjectiveInput input = complete_batch(91, {2, 3});
  input.old_values = input.values.clone();
  const auto given = evaluate_with_gradient(*make_ppo({}), input);
  input.old_values = at::Tensor();
  const auto missing = evaluate_with_gradient(*make_ppo({}), input);
  EXPECT_EQ(given.loss, missing.loss);
  EXPECT_EQ(largest_difference(given.values, missing.values), 0);
  EXPECT_EQ(largest_difference(given.logprobs, missing.logprobs), 0);
}

TEST(Ppo, LambdaOneIsTheReturnAndLambdaZeroTheOneStepError) {
  const at::Tensor rewards = doubles({0.1, -0.2, 1.0, 0.5, 0.0}), values = doubles({1.0, 2.0, 3.0, -1.0, 4.0});
  const at::Tensor row = integers({0, 0, 0, 1, 1});
  const at::Tensor monte_carlo = generalized_advantages(rewards, values, row, 0.5, 1);
  EXPECT_LT(largest_difference(monte_carlo, doubles({0.1 - 0.1 + 0.25 - 1, -0.2 + 0.5 - 2, 1.0 - 3, 0.5 + 1, -4.0})),
            1e-15);
  const at::Tensor one_step = generalized_advantages(rewards, values, row, 0.5, 0);
  EXPECT_LT(largest_difference(one_step, doubles({0.1 + 1 - 1, -0.2 + 1.5 - 2, 1.0 - 3, 0.5 + 2 + 1, -4.0})), 1e-15);
}

TEST(Ppo, AValueThatLeftItsClipTowardsTheReturnStopsLearning) {
  ObjectiveInput input = complete_batch(92, {2});
  const PpoOptions options{.beta = 0, .value_coefficient = 1, .value_clip = 0.2};
  input.old_values = input.values * 0;
  const at::Tensor returns = generalized_advantages(token_rewards(input, 0), input.old_values, input.row, 1, 0.95);
  input.values = returns.sign() * (returns.abs() + 0.2).clamp_min(0.5) * 0.6;  // beyond 0.2 from where they were
  const auto clipped = evaluate_with_gradient(*make_ppo(options), input);
  const at::Tensor towards = input.values.sub(returns).abs().lt(returns.sub(0.2 * returns.sign()).abs());
  EXPECT_GT(towards.sum().item<int64_t>(), 0);
  EXPECT_EQ(clipped.values.masked_select(towards).abs().max().item<double>(), 0);
}

TEST(ReinforcePp, GivesEveryTokenTheReturnThatFollowsIt) {
  const ObjectiveInput input = random_batch(93, {3, 2, 1});
  const ReinforcePpOptions options{.beta = 0.3, .clip = {.low = 0.999, .high = 1e9}};
  // γ = 1: the reward less β times the log-ratios from here on, by a sum over pairs of tokens.
  std::vector<double> expected;
  const int64_t tokens = input.row.size(0);
  for (int64_t t = 0; t < tokens; ++t) {
    expected.push_back(input.rewards[input.row[t].item<int64_t>()].item<double>());
    for (int64_t s = t; s < tokens; ++s)
      if (input.row[s].equal(input.row[t]))
        expected.back() -= 0.3 * (input.behavior_logprobs[s] - input.ref_logprobs[s]).item<double>();
  }
  const at::Tensor advantage = whiten(doubles(expected));
  EXPECT_NEAR(advantage.mean().item<double>(), 0, 1e-14);
  EXPECT_NEAR(advantage.var().item<double>(), 1, 1e-6);
  const at::Tensor ratio = (input.logprobs - input.behavior_logprobs).exp();
  const auto result = evaluate_with_gradient(*make_reinforce_pp(options), input);
  EXPECT_NEAR(result.loss, -(ratio * advantage).mean().item<double>(), 1e-13);
  EXPECT_LT(largest_difference(result.logprobs, -ratio * advantage / static_cast<double>(tokens)), 1e-13);
}

TEST(ReinforcePp, IsPpoWithoutValues) {
  ObjectiveInput input = complete_batch(94, {2, 3});
  input.old_values = input.values * 0;
  const auto ppo = evaluate_with_gradient(*make_ppo({.beta = 0.2, .gamma = 0.9, .lambda = 1}), input).logprobs;
  const auto plain = evaluate_with_gradient(*make_reinforce_pp({.beta = 0.2, .gamma = 0.9}), input).logprobs;
  EXPECT_LT(largest_difference(ppo, plain), 1e-14);
}

TEST(Ppo, OneTokenCannotBeStandardised) {
  ObjectiveInput input = complete_batch(95, {1});
  for (at::Tensor* x : {&input.logprobs, &input.ref_logprobs, &input.behavior_logprobs, &input.full_vocabulary_kl,
                        &input.values, &input.old_values, &input.row})
    *x = x->slice(0, 0, 1);
  for (const auto& objective : {make_ppo({}), make_reinforce_pp({})})
    EXPECT_NE(message_of([&] { objective->evaluate(input); }).find("single token"), std::string::npos);
  EXPECT_EQ(message_of([&] { make_ppo({.whiten_advantages = false})->evaluate(input); }), "");
}

TEST(Ppo, RefusesOptionsWithoutMeaning) {
  EXPECT_NE(message_of([] { make_ppo({.beta = -1}); }).find("beta must be at least 0"), std::string::npos);
  EXPECT_NE(message_of([] { make_ppo({.gamma = 1.5}); }).find("gamma must be in [0, 1], found 1.5"), std::string::npos);
  EXPECT_NE(message_of([] { make_ppo({.lambda = -0.5}); }).find("lambda must be in"), std::string::npos);
  EXPECT_NE(message_of([] { make_ppo({.value_clip = -1}); }).find("value_clip must be"), std::string::npos);
  EXPECT_NE(message_of([] { make_reinforce_pp({.gamma = 2}); }).find("gamma"), std::string::npos);
}

}  // namespace
}  // namespace agro
