// Squared regressions on log-ratios: trajectory balance, GVPO, A*-PO, OPMD, CoPG, and what they are in terms of AGRO.
#include <cmath>

#include "objective/agro.h"
#include "objective/astar_po.h"
#include "objective/copg.h"
#include "objective/diagnostics.h"
#include "objective/group.h"
#include "objective/gvpo.h"
#include "objective/opmd.h"
#include "objective/pairs.h"
#include "objective/test_support.h"
#include "objective/trajectory_balance.h"

namespace agro {
namespace {

using namespace testing;

constexpr double kBeta = 0.3;

ObjectiveGradient consistency(const ObjectiveInput& input) {
  return evaluate_with_gradient(*make_agro({.beta = kBeta, .loss_scale = LossScale::kNone}), input);
}

/// `objective` is `factor` times AGRO's consistency loss, in value and gradient.
void expect_multiple_of_agro(const Objective& objective, const ObjectiveInput& input, double factor) {
  const ObjectiveGradient found = evaluate_with_gradient(objective, input), agro = consistency(input);
  EXPECT_NEAR(found.loss / (factor * agro.loss), 1, 1e-12);
  EXPECT_LT(largest_difference(found.logprobs, factor * agro.logprobs), 1e-12 * factor);
}

TEST(TrajectoryBalance, MatchesThePeerCodesNumbers) {
  for (const Json& item : golden_cases("agro")) {
    const double beta = item["params"]["beta"];
    const auto result = evaluate_with_gradient(*make_trajectory_balance({.beta = beta}), golden_input(item["inputs"]));
    EXPECT_NEAR(result.loss / item["tba"]["tb_loss"].get<double>(), 1, 1e-12);
  }
}

TEST(TrajectoryBalance, IsAgroTimesAConstant) {
  for (const int64_t n : {2, 3, 8}) {
    const auto size = static_cast<double>(n);
    expect_multiple_of_agro(*make_trajectory_balance({.beta = kBeta}), random_batch(101, {n, n, n}),
                            2 * (size - 1) / (size * kBeta * kBeta));
  }
}

TEST(Gvpo, IsAgroWhereTheBehaviourIsTheReference) {
  ObjectiveInput input = random_batch(102, {2, 5, 3});
  input.behavior_logprobs = input.ref_logprobs;
  expect_multiple_of_agro(*make_gvpo({.beta = kBeta}), input, 1);
}

TEST(Gvpo, IsAnchoredAtTheBehaviour) {
  const ObjectiveInput input = random_batch(103, {2, 5, 3});
  ObjectiveInput moved = input;
  moved.ref_logprobs = input.behavior_logprobs;
  const auto gvpo = evaluate_with_gradient(*make_gvpo({.beta = kBeta}), input);
  EXPECT_NEAR(gvpo.loss, consistency(moved).loss, 1e-13);
  // By hand, for the first prompt alone.
  const ObjectiveInput pair = random_batch(104, {2});
  const at::Tensor residual = kBeta * sum_per_response(pair.logprobs - pair.behavior_logprobs, pair) - pair.rewards;
  const double difference = (residual[0] - residual[1]).item<double>();
  EXPECT_NEAR(make_gvpo({.beta = kBeta})->evaluate(pair).loss.item<double>(), difference * difference / 4, 1e-14);
}

TEST(AstarPo, IsAgroWhereTheValueIsTheGroupsMean) {
  for (const int64_t n : {2, 6}) {
    ObjectiveInput input = random_batch(105, {n, n});
    input.optimal_values = Groups(input.group, at::kDouble).mean(regularized_rewards(input, kBeta)).detach();
    const auto size = static_cast<double>(n);
    expect_multiple_of_agro(*make_astar_po({.beta = kBeta}), input, 2 * (size - 1) / size);
  }
}

TEST(AstarPo, RestsAtTheOptimumAndTakesSingleResponses) {
  ObjectiveInput input = random_batch(106, {1, 1, 3});
  input.optimal_values = doubles({0.7, -2.0, 5.0});
  input.rewards = kBeta * log_ratio(input) + input.optimal_values.index_select(0, input.group);
  const auto result = evaluate_with_gradient(*make_astar_po({.beta = kBeta}), input);
  EXPECT_LT(result.loss, 1e-28);
  EXPECT_LT(result.logprobs.abs().max().item<double>(), 1e-14);
}

TEST(Opmd, HasTheReportsGradient) {
  const ObjectiveInput input = random_batch(107, {2, 4, 3});
  const auto result = evaluate_with_gradient(*make_opmd({.beta = kBeta}), input);
  const Groups groups(input.group, at::kDouble);
  const at::Tensor moved = sum_per_response(input.logprobs - input.behavior_logprobs, input);
  const at::Tensor advantage = input.rewards - groups.spread(groups.mean(input.rewards));
  const at::Tensor weight = groups.spread(1 / (groups.size() * 3)) * (kBeta * moved - advantage);
  EXPECT_LT(largest_difference(result.logprobs, weight.index_select(0, input.row)), 1e-14);
}

TEST(Opmd, LogMeanExpIsTheValueEstimate) {
  ObjectiveInput input = random_batch(108, {4});
  const std::vector<double> rewards(input.rewards.data_ptr<double>(), input.rewards.data_ptr<double>() + 4);
  const double value = value_estimate(rewards, kBeta);
  const at::Tensor residual =
      input.rewards - value - kBeta * sum_per_response(input.logprobs - input.behavior_logprobs, input);
  const auto objective = make_opmd({.beta = kBeta, .partition = Partition::kLogMeanExp});
  EXPECT_NEAR(objective->evaluate(input).loss.item<double>(), residual.square().mean().item<double>() / (2 * kBeta),
              1e-13);
  input.rewards = input.rewards * 1e5;  // exp() of it would overflow
  EXPECT_TRUE(std::isfinite(objective->evaluate(input).loss.item<double>()));
}

TEST(Copg, IsFourTimesAgroForAnyGroupSize) {
  expect_multiple_of_agro(*make_copg({.beta = kBeta}), random_batch(109, {2}), 4);
  expect_multiple_of_agro(*make_copg({.beta = kBeta}), random_batch(110, {2, 7, 3}), 4);
}

TEST(Copg, IsTheMeanOverAllPairs) {
  const ObjectiveInput input = random_batch(112, {2, 5, 3});
  const at::Tensor rewards = regularized_rewards(input, kBeta);
  double expected = 0;
  for (int64_t g = 0; g < 3; ++g) {
    const at::Tensor own = rewards.masked_select(input.group.eq(g));
    const at::Tensor gaps = (own.unsqueeze(1) - own).square();
    const auto n = static_cast<double>(own.size(0));
    expected += gaps.sum().item<double>() / (n * (n - 1)) / 3;
  }
  EXPECT_NEAR(make_copg({.beta = kBeta})->evaluate(input).loss.item<double>(), expected, 1e-12);
}

TEST(Copg, OfAPairIsTheSquaredDifference) {
  const ObjectiveInput input = random_batch(111, {2});
  const at::Tensor rewards = regularized_rewards(input, kBeta);
  const double difference = (rewards[0] - rewards[1]).item<double>();
  EXPECT_NEAR(make_copg({.beta = kBeta})->evaluate(input).loss.item<double>(), difference * difference, 1e-14);
}

TEST(RegressionFamily, AgreesWithCentralDifferences) {
  const ObjectiveInput input = complete_batch(112, {2, 4, 3});
  EXPECT_LT(central_difference_gap(*make_trajectory_balance({.beta = 0.9}), input), 1e-8);
  EXPECT_LT(central_difference_gap(*make_gvpo({.beta = 0.9}), input), 1e-8);
  EXPECT_LT(central_difference_gap(*make_astar_po({.beta = 0.9}), input), 1e-8);
  EXPECT_LT(central_difference_gap(*make_opmd({.beta = 0.9}), input), 1e-8);
  EXPECT_LT(central_difference_gap(*make_opmd({.beta = 0.9, .partition = Partition::kLogMeanExp}), input), 1e-8);
  EXPECT_LT(central_difference_gap(*make_copg({.beta = 0.9}), input), 1e-8);
}

TEST(RegressionFamily, IgnoresAShiftOfAGroupsRewards) {
  const ObjectiveInput input = random_batch(113, {2, 5, 3});
  ObjectiveInput shifted = input;
  shifted.rewards = input.rewards + doubles({3.0, -70.0, 0.25}).index_select(0, input.group);
  std::vector<std::unique_ptr<Objective>> objectives;
  objectives.push_back(make_trajectory_balance({.beta = kBeta}));
  objectives.push_back(make_gvpo({.beta = kBeta}));
  objectives.push_back(make_opmd({.beta = kBeta}));
  objectives.push_back(make_opmd({.beta = kBeta, .partition = Partition::kLogMeanExp}));
  objectives.push_back(make_copg({.beta = kBeta}));
  for (const auto& objective : objectives) {
    const auto before = evaluate_with_gradient(*objective, input), after = evaluate_with_gradient(*objective, shifted);
    EXPECT_NEAR(before.loss, after.loss, 1e-9) << objective->name();
    EXPECT_LT(largest_difference(before.logprobs, after.logprobs), 1e-10) << objective->name();
  }
}

TEST(RegressionFamily, RefusesBetaZero) {
  for (const auto make : {+[] { make_trajectory_balance({.beta = 0}); }, +[] { make_gvpo({.beta = 0}); },
                          +[] { make_astar_po({.beta = 0}); }, +[] { make_opmd({.beta = 0}); },
                          +[] { make_copg({.beta = std::nan("")}); }})
    EXPECT_NE(message_of(make).find("beta must be above 0"), std::string::npos);
}

}  // namespace
}  // namespace agro
