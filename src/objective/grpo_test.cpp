// GRPO and its descendants with one advantage per response: GSPO and CISPO.
#include "objective/grpo.h"

#include <ATen/ops/arange.h>

#include <cmath>

#include "objective/cispo.h"
#include "objective/group.h"
#include "objective/gspo.h"
#include "objective/reinforce.h"
#include "objective/test_support.h"

namespace agro {
namespace {

using namespace testing;

GrpoOptions golden_options(const Json& params) {
  return {.beta = params["kl_beta"],
          .clip = {.low = params["eps_low"], .high = params["eps_high"]},
          .standardize = params["scale_rewards"] == "none" ? Standardize::kNone : Standardize::kGroup,
          .constant_length = params["dr_grpo_max_len"]};
}

void expect_golden(const Objective& objective, const Json& item, const Json& expected, const std::string& what) {
  const auto result = evaluate_with_gradient(objective, golden_input(item["inputs"]));
  EXPECT_NEAR(result.loss, expected["loss"].get<double>(), 1e-10) << what;
  EXPECT_LT(largest_difference(result.logprobs, packed(expected["grad_logp"], item["inputs"]["mask"])), 1e-10) << what;
}

TEST(Grpo, MatchesTheGoldenCases) {
  const std::vector<std::pair<std::string, Normalization>> forms = {{"seq_mean", Normalization::kResponseLength},
                                                                    {"token_mean", Normalization::kTokenCount},
                                                                    {"dr_grpo", Normalization::kConstantLength}};
  for (const Json& item : golden_cases("grpo")) {
    const Json &outputs = item["outputs"], &mask = item["inputs"]["mask"];
    ASSERT_EQ(item["params"]["level"], "token");
    ASSERT_TRUE(item["params"]["delta"].is_null());
    GrpoOptions options = golden_options(item["params"]);
    const ObjectiveInput input = golden_input(item["inputs"]);
    const at::Tensor advantages =
        group_advantages(input.rewards, Groups(input.group, at::kDouble), options.standardize);
    EXPECT_LT(largest_difference(advantages, flat(outputs["advantages"])), 1e-10);
    for (const auto& [form, normalization] : forms) {
      options.normalization = normalization;
      expect_golden(*make_grpo(options), item, outputs[form], form);
    }
    const auto metrics = make_grpo(options)->evaluate(input).metrics;
    EXPECT_NEAR(metric(metrics, "clip_fraction"), outputs["clip_fraction_tokens"].get<double>(), 1e-12);
    const double tokens = packed(mask, mask).sum().item<double>(), responses = static_cast<double>(mask.size());
    EXPECT_NEAR(metric(metrics, "kl_k3") * responses / tokens, outputs["mean_k3_kl_tokens"].get<double>(), 1e-12);
  }
}

TEST(Grpo, MatchesTrlUnderItsNames) {
  const std::vector<std::pair<std::string, Normalization>> names = {{"grpo", Normalization::kResponseLength},
                                                                    {"bnpo", Normalization::kTokenCount},
                                                                    {"dapo", Normalization::kTokenCount},
                                                                    {"dr_grpo", Normalization::kConstantLength}};
  for (const Json& item : golden_cases("grpo")) {
    GrpoOptions options = golden_options(item["params"]);
    for (const auto& [name, normalization] : names) {
      options.normalization = normalization;
      const Json& trl = item["trl"]["v1.9.0:" + name];
      expect_golden(*make_grpo(options), item, trl, name);
      const auto metrics = make_grpo(options)->evaluate(golden_input(item["inputs"])).metrics;
      EXPECT_NEAR(metric(metrics, "clip_fraction"), trl["metrics"]["clip_ratio/region_mean"].get<double>(), 1e-12);
    }
    options.normalization = Normalization::kTokenCount;
    if (options.beta > 0) {
      EXPECT_NEAR(metric(make_grpo(options)->evaluate(golden_input(item["inputs"])).metrics, "kl_penalty"),
                  item["trl"]["v1.9.0:bnpo"]["metrics"]["kl"].get<double>(), 1e-12);
    }
  }
}

TEST(Cispo, MatchesTrl) {
  for (const Json& item : golden_cases("grpo")) {
    const GrpoOptions grpo = golden_options(item["params"]);
    const CispoOptions options{.beta = grpo.beta, .truncate = 1 + grpo.clip.high, .standardize = grpo.standardize};
    expect_golden(*make_cispo(options), item, item["trl"]["v1.9.0:cispo"], "cispo");
  }
}

TEST(Cispo, KeepsTheGradientOfATruncatedToken) {
  ObjectiveInput input = random_batch(71, {2});
  input.rewards = doubles({1.0, 0.0});
  input.behavior_logprobs = input.logprobs.clone();
  input.behavior_logprobs[0] = input.logprobs[0] - 2.0;  // ratio e²
  const auto cispo = evaluate_with_gradient(*make_cispo({.beta = 0, .truncate = 1.5}), input);
  const auto grpo = evaluate_with_gradient(
      *make_grpo({.beta = 0, .clip = {.low = 0.5, .high = 0.5}, .normalization = Normalization::kTokenCount}), input);
  const double tokens = static_cast<double>(input.row.size(0));
  const double share = 0.5 / (std::sqrt(0.5) + 1e-4) / tokens;
  EXPECT_NEAR(cispo.logprobs[0].item<double>(), -1.5 * share, 1e-14);
  EXPECT_EQ(grpo.logprobs[0].item<double>(), 0);
  EXPECT_LT(largest_difference(cispo.logprobs.slice(0, 1), grpo.logprobs.slice(0, 1)), 1e-14);
  EXPECT_NEAR(metric(cispo.metrics, "truncated_fraction"), 1 / tokens, 1e-15);
}

TEST(Grpo, OnPolicyWithoutDivisionsIsReinforceWithTheGroupsMean) {
  ObjectiveInput input = random_batch(72, {3, 2, 4});
  input.behavior_logprobs = input.logprobs.clone();
  const auto reinforce = evaluate_with_gradient(*make_reinforce({.beta = 0.4}), input).logprobs;
  const GrpoOptions plain{.beta = 0.4,
                          .standardize = Standardize::kNone,
                          .normalization = Normalization::kConstantLength,
                          .constant_length = 1};
  EXPECT_LT(largest_difference(evaluate_with_gradient(*make_grpo(plain), input).logprobs, reinforce), 1e-14);
}

TEST(Gspo, IsTheFormulaOfItsPaper) {
  const ObjectiveInput input = random_batch(73, {3, 2});
  const GspoOptions options{.beta = 0, .clip = {.low = 0.1, .high = 0.2}};
  const at::Tensor ratio = mean_per_response(input.logprobs - input.behavior_logprobs, input).exp();
  const Groups groups(input.group, at::kDouble);
  const at::Tensor advantage = group_advantages(input.rewards, groups, Standardize::kGroup);
  double loss = 0, clipped = 0;
  for (int64_t i = 0; i < 5; ++i) {
    const double s = ratio[i].item<double>(), a = advantage[i].item<double>();
    const double n = groups.size()[input.group[i].item<int64_t>()].item<double>();
    const double bounded = std::min(std::max(s, 0.9), 1.2);
    loss -= std::min(s * a, bounded * a) / n / 2;
    clipped += bounded * a < s * a;
  }
  const auto result = evaluate_with_gradient(*make_gspo(options), input);
  EXPECT_NEAR(result.loss, loss, 1e-14);
  EXPECT_NEAR(metric(result.metrics, "clip_fraction"), clipped / 5, 1e-15);
  EXPECT_GT(clipped, 0);
}

TEST(Gspo, OfResponsesOfOneTokenIsGrpo) {
  ObjectiveInput input = random_batch(74, {3, 4});
  for (at::Tensor* x : {&input.logprobs, &input.ref_logprobs, &input.behavior_logprobs}) *x = x->slice(0, 0, 7).clone();
  input.row = at::arange(7, at::kLong);
  const ClipRange clip{.low = 0.1, .high = 0.3};
  const auto gspo = evaluate_with_gradient(*make_gspo({.beta = 0.2, .clip = clip}), input);
  const auto grpo = evaluate_with_gradient(*make_grpo({.beta = 0.2, .clip = clip}), input);
  EXPECT_NEAR(gspo.loss, grpo.loss, 1e-14);
  EXPECT_LT(largest_difference(gspo.logprobs, grpo.logprobs), 1e-14);
}

TEST(Grpo, AGroupOfEqualRewardsHasNoGradientWithoutKl) {
  ObjectiveInput input = random_batch(75, {4});
  input.rewards.fill_(1.0);
  const auto result = evaluate_with_gradient(*make_grpo({.beta = 0}), input);
  EXPECT_EQ(result.loss, 0);
  EXPECT_EQ(result.logprobs.abs().max().item<double>(), 0);
}

TEST(Grpo, ARatioThatOverflowsIsStillNoNan) {
  ObjectiveInput input = random_batch(76, {3});
  for (at::Tensor* x : {&input.logprobs, &input.ref_logprobs, &input.behavior_logprobs, &input.rewards})
    *x = x->to(at::kFloat);
  input.behavior_logprobs[0] = -500.0;
  for (const auto& objective : {make_grpo({.beta = 0}), make_gspo({.beta = 0}), make_cispo({.beta = 0})}) {
    const auto result = evaluate_with_gradient(*objective, input);
    EXPECT_TRUE(std::isfinite(result.loss)) << objective->name();
    EXPECT_TRUE(result.logprobs.isfinite().all().item<bool>()) << objective->name();
  }
}

TEST(Grpo, RefusesOptionsWithoutMeaning) {
  EXPECT_NE(message_of([] { make_grpo({.beta = -1}); }).find("at least 0"), std::string::npos);
  EXPECT_NE(message_of([] { make_grpo({.clip = {.low = 0, .high = 0}}); }).find("leaves no gradient"),
            std::string::npos);
  EXPECT_NE(message_of([] { make_gspo({.clip = {.low = 1, .high = 0}}); }).find("[0, 1), found 1"), std::string::npos);
  EXPECT_NE(
      message_of([] { make_grpo({.normalization = Normalization::kConstantLength}); }).find("normalization_length"),
      std::string::npos);
  EXPECT_NE(message_of([] { make_cispo({.truncate = 0}); }).find("above 0"), std::string::npos);
}

}  // namespace
}  // namespace agro
