#include "objective/reinforce.h"

#include <cmath>

#include "objective/group.h"
#include "objective/kl_policy_gradient.h"
#include "objective/rloo.h"
#include "objective/test_support.h"

namespace agro {
namespace {

using namespace testing;

TEST(Reinforce, IsAShareOfLeaveOneOut) {
  ObjectiveInput input = random_batch(65, {4, 4});
  input.behavior_logprobs = at::Tensor();
  const at::Tensor mean_baseline = evaluate_with_gradient(*make_reinforce({.beta = 0}), input).logprobs;
  const at::Tensor left_out = evaluate_with_gradient(*make_rloo({.beta = 0}), input).logprobs;
  EXPECT_LT(largest_difference(mean_baseline, 0.75 * left_out), 1e-15);
}

TEST(Reinforce, SharesItsKlWithTheFoil) {
  const ObjectiveInput input = complete_batch(66, {3, 3});
  for (const KlEstimator estimator :
       {KlEstimator::kK1, KlEstimator::kK2, KlEstimator::kK3, KlEstimator::kFullVocabulary}) {
    const auto with = make_reinforce({.beta = 0.6, .kl_estimator = estimator});
    const auto foil = make_kl_policy_gradient({.beta = 0.9, .kl_estimator = estimator});  // 3/2 of it: n = 3
    const auto a = evaluate_with_gradient(*with, input), b = evaluate_with_gradient(*foil, input);
    EXPECT_LT(largest_difference(1.5 * a.logprobs, b.logprobs), 1e-14);
    EXPECT_NEAR(1.5 * a.loss, b.loss, 1e-14);
    EXPECT_NEAR(metric(a.metrics, "kl_penalty"), metric(b.metrics, "kl_penalty"), 1e-14);
  }
}

TEST(GroupAdvantages, DivideByTheGroupsOrTheBatchsDeviation) {
  const at::Tensor rewards = doubles({1.0, 0.0, 5.0, 3.0, 1.0});
  const Groups groups(integers({0, 0, 1, 1, 1}), at::kDouble);
  const at::Tensor centred = doubles({0.5, -0.5, 2.0, 0.0, -2.0});
  EXPECT_LT(largest_difference(group_advantages(rewards, groups, Standardize::kNone), centred), 1e-15);
  const double pair = std::sqrt(0.5) + 1e-4, triple = 2 + 1e-4, batch = 2 + 1e-4;
  EXPECT_LT(largest_difference(group_advantages(rewards, groups, Standardize::kGroup),
                               centred / doubles({pair, pair, triple, triple, triple})),
            1e-15);
  // Deviation of all five rewards from their mean, 2: squares 1, 4, 9, 1, 1 over 4.
  EXPECT_LT(largest_difference(group_advantages(rewards, groups, Standardize::kBatch), centred / batch), 1e-15);
}

TEST(GroupAdvantages, AreZeroForEqualRewards) {
  const Groups groups(integers({0, 0}), at::kDouble);
  for (const Standardize standardize : {Standardize::kNone, Standardize::kGroup, Standardize::kBatch})
    EXPECT_EQ(group_advantages(doubles({3.0, 3.0}), groups, standardize).abs().max().item<double>(), 0);
}

}  // namespace
}  // namespace agro
