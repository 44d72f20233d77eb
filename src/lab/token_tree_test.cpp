#include "lab/token_tree.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "lab/test_support.h"
#include "objective/agro.h"

namespace agro {
namespace {

using namespace testing;

constexpr double kBeta = 0.5;

class CreditTest : public ::testing::Test {
 protected:
  /// What one pair's gradient is through the library's objective, by the tree's logits and uphill.
  Vector library_estimate(Credit credit, size_t first, size_t second) const {
    const auto tokens = tree_.token_logprobs(policy_), ref = tree_.token_logprobs(prompt_.ref_logprobs);
    const std::vector<size_t> pair = {first, second};
    Vector logprobs, ref_logprobs, rewards;
    for (const size_t y : pair) {
      logprobs.insert(logprobs.end(), tokens[y].begin(), tokens[y].end());
      ref_logprobs.insert(ref_logprobs.end(), ref[y].begin(), ref[y].end());
      rewards.push_back(prompt_.rewards[y]);
    }
    const auto tensor = [](const Vector& values) { return at::tensor(at::ArrayRef<double>(values), at::kDouble); };
    ObjectiveInput input;
    input.logprobs = tensor(logprobs);
    input.ref_logprobs = tensor(ref_logprobs);
    input.rewards = tensor(rewards);
    input.row = at::arange(2, at::kLong).repeat_interleave(static_cast<int64_t>(tree_.length()));
    input.group = at::zeros({2}, at::kLong);
    input.on_policy = at::full({2}, true, at::kBool);
    const at::Tensor weight =
        evaluate_with_gradient(*make_agro({.beta = kBeta, .credit = credit}), input).logprobs.contiguous();
    const Vector conditional = tree_.conditional_probabilities(policy_);
    Vector gradient(tree_.parameters());
    for (size_t i = 0; i < 2; ++i) {
      Vector weights;
      for (size_t t = 0; t < tree_.length(); ++t)
        weights.push_back(-weight[static_cast<int64_t>(i * tree_.length() + t)].item<double>());
      tree_.add_score(gradient, conditional, pair[i], weights);
    }
    return gradient;
  }

  TokenTree tree_{3, 3};
  TabularPrompt prompt_ = random_problem({1, 27, kBeta}, 30, 0)[0];
  Vector policy_ = random_logprobs(27, 30, 1);
};

TEST_F(CreditTest, TokenLogprobsAddUpToTheResponses) {
  const auto tokens = tree_.token_logprobs(policy_);
  for (size_t y = 0; y < tree_.responses(); ++y)
    EXPECT_NEAR(tokens[y][0] + tokens[y][1] + tokens[y][2], policy_[y], 1e-13);
  EXPECT_EQ(tree_.parameters(), 3u + 9 + 27);
}

TEST_F(CreditTest, APairsEstimateIsTheLibrarysGradient) {
  for (const auto& [rule, credit] :
       {std::pair{CreditRule::kSequence, Credit::kSequence}, {CreditRule::kToken, Credit::kToken}})
    for (const auto& [i, j] : {std::pair<size_t, size_t>{4, 20}, {13, 14}, {7, 7}})
      EXPECT_LT(largest_difference(pair_estimate(tree_, prompt_, policy_, rule, i, j), library_estimate(credit, i, j)),
                1e-13);
}

TEST_F(CreditTest, AllCreditsExpectTheGradientOfTheObjective) {  // A10
  // By the chain rule the gradient by the tree's logits is that by the responses' logits, Σ_y g(y) ∇ log π(y).
  const Vector policy = probabilities(policy_), regularized = regularized_rewards(prompt_, policy_);
  const Vector conditional = tree_.conditional_probabilities(policy_);
  Vector uphill(tree_.parameters());
  for (size_t y = 0; y < policy.size(); ++y)
    tree_.add_score(uphill, conditional, y, Vector(3, policy[y] * regularized[y]));
  for (const CreditRule rule : {CreditRule::kSequence, CreditRule::kToken, CreditRule::kPrefixBaseline})
    for (const size_t n : {2u, 7u})
      EXPECT_LT(largest_difference(credit_moments(tree_, prompt_, policy_, rule, n).mean, uphill), 1e-14);
}

TEST_F(CreditTest, VarianceIsThatOfAllGroups) {
  const TokenTree tree(2, 2);
  const TabularPrompt prompt = random_problem({1, 4, kBeta}, 31, 0)[0];
  const Vector logprobs = random_logprobs(4, 31, 1), policy = probabilities(logprobs);
  for (const CreditRule rule : {CreditRule::kSequence, CreditRule::kToken}) {
    const Vector mean = credit_moments(tree, prompt, logprobs, rule, 3).mean;
    double variance = 0;  // over every group of three, each estimate the mean of its pairs'
    for (size_t i = 0; i < 4; ++i)
      for (size_t j = 0; j < 4; ++j)
        for (size_t k = 0; k < 4; ++k) {
          const Vector a = pair_estimate(tree, prompt, logprobs, rule, i, j),
                       b = pair_estimate(tree, prompt, logprobs, rule, i, k),
                       c = pair_estimate(tree, prompt, logprobs, rule, j, k);
          for (size_t p = 0; p < mean.size(); ++p)
            variance += policy[i] * policy[j] * policy[k] * std::pow((a[p] + b[p] + c[p]) / 3 - mean[p], 2);
        }
    EXPECT_NEAR(credit_moments(tree, prompt, logprobs, rule, 3).variance, variance, 1e-13);
  }
}

TEST_F(CreditTest, AtTheOptimumOnlyTokenCreditWithTheOthersMeanVaries) {
  const Vector optimum = optimal_logprobs(prompt_);
  for (const size_t n : {2u, 16u}) {
    EXPECT_LT(credit_moments(tree_, prompt_, optimum, CreditRule::kSequence, n).variance, 1e-25);
    EXPECT_LT(credit_moments(tree_, prompt_, optimum, CreditRule::kPrefixBaseline, n).variance, 1e-25);
    EXPECT_GT(credit_moments(tree_, prompt_, optimum, CreditRule::kToken, n).variance, 1e-4);
  }
}

TEST_F(CreditTest, APrefixBaselineIsBestOnTheWholeWay) {
  for (const double share : {0.0, 0.3, 0.6, 0.9}) {
    const Vector logprobs = logprobs_on_the_way(prompt_, share);
    const double prefix = credit_moments(tree_, prompt_, logprobs, CreditRule::kPrefixBaseline, 8).variance;
    for (const CreditRule rule : {CreditRule::kSequence, CreditRule::kToken})
      EXPECT_LT(prefix, credit_moments(tree_, prompt_, logprobs, rule, 8).variance) << share;
  }
}

}  // namespace
}  // namespace agro
