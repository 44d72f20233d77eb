// Where the off-policy objectives end, as their headers claim: a table of five responses, all of them in the batch
// once, so that μ is uniform and group means are exact. Plain gradient descent on the logits.
#include <ATen/ops/full_like.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/where.h>

#include <cmath>

#include "objective/agro.h"
#include "objective/astar_po.h"
#include "objective/asymmetric_reinforce.h"
#include "objective/copg.h"
#include "objective/gvpo.h"
#include "objective/importance_weighted.h"
#include "objective/ipo.h"
#include "objective/opmd.h"
#include "objective/pairs.h"
#include "objective/rejection_sft.h"
#include "objective/test_support.h"
#include "objective/topr.h"
#include "objective/trajectory_balance.h"

namespace agro {
namespace {

using namespace testing;

constexpr double kBeta = 0.5;

ObjectiveInput table() {
  ObjectiveInput input;
  input.ref_logprobs = at::log_softmax(doubles({0.3, -0.4, 0.9, 0.0, -1.1}), 0);
  input.behavior_logprobs = at::full_like(input.ref_logprobs, -std::log(5.0));
  input.rewards = doubles({0.9, 0.1, 0.4, 1.0, 0.0});
  input.row = integers({0, 1, 2, 3, 4});
  input.group = integers({0, 0, 0, 0, 0});
  input.optimal_values = (input.ref_logprobs + input.rewards / kBeta).logsumexp(0, true) * kBeta;
  return input;
}

/// The policy after `steps` of size `rate`, started at the reference: [5] probabilities.
at::Tensor limit(const Objective& objective, ObjectiveInput input, double rate, int steps = 400) {
  at::Tensor logits = input.ref_logprobs.clone();
  for (int step = 0; step < steps; ++step) {
    input.logprobs = at::log_softmax(logits, 0);
    const at::Tensor gradient = evaluate_with_gradient(objective, input).logprobs;
    logits = logits - rate * (gradient - input.logprobs.exp() * gradient.sum());
  }
  return at::log_softmax(logits, 0).exp();
}

at::Tensor tilted(const at::Tensor& logprobs, const at::Tensor& exponent) {
  return at::log_softmax(logprobs + exponent, 0).exp();
}

TEST(FixedPoint, OfTheRegressionsOnTheReferenceIsTheOptimum) {
  const ObjectiveInput input = table();
  const at::Tensor optimum = tilted(input.ref_logprobs, input.rewards / kBeta);
  EXPECT_LT(largest_difference(limit(*make_agro({.beta = kBeta}), input, 2), optimum), 1e-6);
  EXPECT_LT(largest_difference(limit(*make_trajectory_balance({.beta = kBeta}), input, 0.5), optimum), 1e-6);
  EXPECT_LT(largest_difference(limit(*make_astar_po({.beta = kBeta}), input, 2), optimum), 1e-6);
  EXPECT_LT(largest_difference(limit(*make_copg({.beta = kBeta}), input, 0.5), optimum), 1e-6);
}

TEST(FixedPoint, OfTruncatedImportanceWeightsIsStillTheOptimum) {
  const ObjectiveInput input = table();
  const at::Tensor optimum = tilted(input.ref_logprobs, input.rewards / kBeta);
  for (const double truncate : {0.3, 1.0, 100.0}) {
    const auto objective = make_importance_weighted({.beta = kBeta, .truncate = truncate});
    EXPECT_LT(largest_difference(limit(*objective, input, 2, 1500), optimum), 1e-6) << truncate;
  }
}

TEST(FixedPoint, OfTheRegressionsOnTheBehaviourTiltsTheBehaviour) {
  const ObjectiveInput input = table();
  const at::Tensor tilt = tilted(input.behavior_logprobs, input.rewards / kBeta);
  EXPECT_LT(largest_difference(limit(*make_gvpo({.beta = kBeta}), input, 4), tilt), 1e-6);
  const auto exact = make_opmd({.beta = kBeta, .partition = Partition::kLogMeanExp});
  EXPECT_LT(largest_difference(limit(*exact, input, 2), tilt), 1e-6);
}

TEST(FixedPoint, OfOpmdWithTheMeanRewardCarriesAnotherPenalty) {
  const ObjectiveInput input = table();
  const at::Tensor policy = limit(*make_opmd({.beta = kBeta}), input, 2);
  const at::Tensor advantage = input.rewards - input.rewards.mean();
  const at::Tensor multiplier =
      (advantage - kBeta * (policy.log() - input.behavior_logprobs)) / (policy / input.behavior_logprobs.exp());
  EXPECT_LT((multiplier - multiplier[0]).abs().max().item<double>(), 1e-6);
  EXPECT_GT(multiplier[0].item<double>(), 0.01);
}

TEST(FixedPoint, OfToprAndRejectionAreTheGoodResponsesOfTheData) {
  const ObjectiveInput input = table();
  const at::Tensor above = (input.rewards - 0.3).clamp_min(0), accepted = input.rewards.gt(0.3).to(at::kDouble);
  EXPECT_LT(largest_difference(limit(*make_topr({.baseline = 0.3}), input, 10, 1500), above / above.sum()), 2e-3);
  EXPECT_LT(largest_difference(limit(*make_rejection_sft({.reward_threshold = 0.3}), input, 5, 1500), accepted / 3),
            1e-3);
}

TEST(FixedPoint, OfAsymmetricReinforceIsAThresholdedShareOfTheData) {
  const ObjectiveInput input = table();
  const at::Tensor policy = limit(*make_asymmetric_reinforce({.baseline_shift = -0.3}), input, 5);
  // max(μ (r - V) - τ, 0) / 0.3 with μ = 1/5, V = 0.48 - 0.3; positive for three responses, which fixes τ.
  const at::Tensor scores = (input.rewards - 0.18) / 5;
  const double threshold = (scores[0] + scores[2] + scores[3] - 0.3).item<double>() / 3;
  EXPECT_LT(largest_difference(policy, (scores - threshold).clamp_min(0) / 0.3), 1e-6);
  const at::Tensor collapsed = limit(*make_asymmetric_reinforce({.baseline_shift = 0.1}), input, 5);
  EXPECT_GT(collapsed.max().item<double>(), 1 - 1e-6);
}

TEST(FixedPoint, OfIpoTiltsByTheShareOfWins) {
  ObjectiveInput input = table();
  const at::Tensor either = all_pairs(input.group);
  const at::Tensor first_wins = input.rewards.index_select(0, either.select(1, 0))
                                    .gt(input.rewards.index_select(0, either.select(1, 1)))
                                    .unsqueeze(1);
  input.pairs = at::where(first_wins, either, either.flip(1));
  // Wins against a uniform draw of the five, a draw of itself counted as half a win, which cancels.
  const at::Tensor wins = doubles({3.5, 1.5, 2.5, 4.5, 0.5}) / 5;
  EXPECT_LT(largest_difference(limit(*make_ipo({.beta = kBeta}), input, 0.5), tilted(input.ref_logprobs, wins / kBeta)),
            1e-6);
}

}  // namespace
}  // namespace agro
