// Objectives with a learned value of the prompt: DRO, and AGRO for prompts of a single response.
#include <ATen/ops/zeros_like.h>

#include "objective/agro.h"
#include "objective/agro_value.h"
#include "objective/dro.h"
#include "objective/group.h"
#include "objective/prompt_value.h"
#include "objective/test_support.h"

namespace agro {
namespace {

using namespace testing;

constexpr double kBeta = 0.6;

/// Each response's first token, and zero for the others.
at::Tensor at_first_tokens(const at::Tensor& per_response, const ObjectiveInput& input) {
  at::Tensor result = at::zeros_like(input.logprobs);
  for (int64_t t = 0; t < input.row.size(0); ++t)
    if (t == 0 || input.row[t].item<int64_t>() != input.row[t - 1].item<int64_t>())
      result[t] = per_response[input.row[t].item<int64_t>()];
  return result;
}

TEST(PromptValues, AreThoseBeforeTheFirstTokens) {
  ObjectiveInput input;
  input.row = integers({0, 0, 1, 3, 3, 3});
  input.values = doubles({5.0, 9.0, 6.0, 8.0, 9.0, 9.0});
  input.group = integers({1, 0, 0, 0});
  EXPECT_EQ(largest_difference(prompt_values(input), doubles({7.0, 5.0})), 0);
  input.group = integers({0, 0, 1, 0});
  EXPECT_NE(message_of([&] { prompt_values(input); }).find("prompt 1 has no response tokens"), std::string::npos);
}

TEST(Dro, FitsPolicyAndValueToEachOther) {
  const ObjectiveInput input = complete_batch(141, {1, 3, 2});
  const auto result = evaluate_with_gradient(*make_dro({.beta = kBeta, .value_coefficient = 0.4}), input);
  const Groups groups(input.group, at::kDouble, 1);
  const at::Tensor residual = regularized_rewards(input, kBeta) - groups.spread(prompt_values(input));
  const at::Tensor share = groups.spread(1 / (groups.size() * 3));
  EXPECT_LT(largest_difference(result.logprobs, (-share * residual).index_select(0, input.row)), 1e-14);
  const at::Tensor per_prompt = groups.spread(groups.mean(residual));
  EXPECT_LT(largest_difference(result.values, at_first_tokens(-0.4 * share * per_prompt, input)), 1e-14);
  EXPECT_NEAR(metric(result.metrics, "value_loss"), (share * residual.square()).sum().item<double>() / 2, 1e-14);
}

TEST(Dro, RestsAtTheOptimum) {
  ObjectiveInput input = complete_batch(142, {1, 3});
  input.rewards = kBeta * log_ratio(input) + doubles({0.3, -2.0}).index_select(0, input.group);
  input.values = doubles({0.3, -2.0}).index_select(0, input.group).index_select(0, input.row);
  const auto result = evaluate_with_gradient(*make_dro({.beta = kBeta}), input);
  EXPECT_LT(result.loss, 1e-28);
  EXPECT_LT(result.logprobs.abs().max().item<double>(), 1e-14);
}

TEST(AgroValue, OfGroupsIsAgro) {
  const ObjectiveInput input = complete_batch(143, {2, 5, 3});
  for (const LossScale scale : {LossScale::kOneOverBeta, LossScale::kNone}) {
    const auto value = evaluate_with_gradient(*make_agro_value({.beta = kBeta, .loss_scale = scale}), input);
    const auto agro = evaluate_with_gradient(*make_agro({.beta = kBeta, .loss_scale = scale}), input);
    EXPECT_LT(largest_difference(value.logprobs, agro.logprobs), 1e-14);
    EXPECT_NEAR(value.loss - metric(value.metrics, "value_loss"), agro.loss, 1e-13);
  }
}

TEST(AgroValue, OfSingleResponsesIsDro) {
  const ObjectiveInput input = complete_batch(144, {1, 1, 1});
  const auto value = evaluate_with_gradient(*make_agro_value({.beta = kBeta}), input);
  const auto dro = evaluate_with_gradient(*make_dro({.beta = kBeta}), input);
  EXPECT_NEAR(value.loss, dro.loss, 1e-14);
  EXPECT_LT(largest_difference(value.logprobs, dro.logprobs), 1e-15);
  EXPECT_LT(largest_difference(value.values, dro.values), 1e-15);
  EXPECT_EQ(metric(value.metrics, "single_fraction"), 1);
}

TEST(ValueRegression, AgreesWithCentralDifferences) {
  // With a coefficient of 0 the value's own term, which holds R fixed, does not show in the loss.
  const ObjectiveInput input = complete_batch(145, {1, 3, 2, 1});
  EXPECT_LT(central_difference_gap(*make_dro({.beta = kBeta, .value_coefficient = 0}), input), 1e-9);
  EXPECT_LT(central_difference_gap(*make_agro_value({.beta = kBeta, .value_coefficient = 0}), input), 1e-9);
}

TEST(ValueRegression, RefusesBadOptionsAndMissingValues) {
  EXPECT_NE(message_of([] { make_dro({.value_coefficient = -1}); }).find("value_coefficient"), std::string::npos);
  EXPECT_NE(message_of([] { make_agro_value({.beta = 0}); }).find("beta must be above 0"), std::string::npos);
  for (const auto& objective : {make_dro({}), make_agro_value({})})
    EXPECT_NE(message_of([&] { objective->evaluate(random_batch(146, {2})); }).find("needs values"), std::string::npos);
}

}  // namespace
}  // namespace agro
