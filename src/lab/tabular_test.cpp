#include "lab/tabular.h"

#include <gtest/gtest.h>

#include <cmath>

#include "lab/behavior.h"
#include "lab/exact_gradient.h"
#include "lab/test_support.h"

namespace agro {
namespace {

using namespace testing;

TEST(Tabular, TheOptimumIsConsistentAndReachesItsValue) {
  for (const TabularPrompt& prompt : some_prompts(0.3)) {
    const Vector optimum = optimal_logprobs(prompt);
    for (const double r : regularized_rewards(prompt, optimum)) EXPECT_NEAR(r, optimal_value(prompt), 1e-13);
    EXPECT_NEAR(objective_value(prompt, optimum), optimal_value(prompt), 1e-13);
  }
}

TEST(Tabular, TheGapIsBetaTimesTheDivergenceFromTheOptimum) {
  for (const TabularPrompt& prompt : some_prompts(0.7)) {
    const Vector policy = random_logprobs(prompt.rewards.size(), 3, 0);
    EXPECT_NEAR(optimal_value(prompt) - objective_value(prompt, policy),
                prompt.beta * kl_divergence(policy, optimal_logprobs(prompt)), 1e-13);
  }
}

TEST(Tabular, TheWayBeginsAtTheReferenceAndEndsAtTheOptimum) {
  const TabularPrompt prompt = some_prompts(0.3)[0];
  EXPECT_LT(largest_difference(logprobs_on_the_way(prompt, 0), prompt.ref_logprobs), 1e-14);
  EXPECT_LT(largest_difference(logprobs_on_the_way(prompt, 1), optimal_logprobs(prompt)), 1e-14);
}

TEST(Tabular, ProblemsOfOtherBetaDifferInNothingElse) {
  const TabularPrompt a = some_prompts(0.3)[1], b = some_prompts(0.9)[1];
  EXPECT_EQ(a.rewards, b.rewards);
  EXPECT_EQ(a.ref_logprobs, b.ref_logprobs);
  EXPECT_NE(random_problem({}, 1, 0)[0].rewards, random_problem({}, 1, 1)[0].rewards);
  EXPECT_NE(random_problem({}, 1, 0)[0].rewards, random_problem({}, 2, 0)[0].rewards);
}

TEST(Behavior, EverySourceIsADistributionOfFullSupport) {
  const TabularPrompt prompt = some_prompts(0.3)[0];
  const Vector other = random_logprobs(10, 4, 0), policy = random_logprobs(10, 4, 1);
  for (const Source source : kSources) {
    Behavior behavior(source, prompt, other);
    behavior.remember(other);
    behavior.remember(policy);
    double sum = 0;
    for (const double p : behavior.probabilities(policy)) {
      EXPECT_GT(p, 0);
      sum += p;
    }
    EXPECT_NEAR(sum, 1, 1e-14) << name_of(source);
  }
}

TEST(ExactGradient, AgreesWithCentralDifferences) {
  const TabularPrompt prompt = some_prompts(0.3)[0];
  const Vector logits = random_logprobs(10, 5, 0), mu = probabilities(random_logprobs(10, 5, 1));
  const auto half_variance = [&](const Vector& z) {
    return weighted_variance(mu, regularized_rewards(prompt, log_softmax(z))) / 2;
  };
  EXPECT_LT(largest_difference(consistency_gradient(prompt, logits, mu), central_differences(half_variance, logits)),
            1e-9);
  const auto objective = [&](const Vector& z) { return objective_value(prompt, log_softmax(z)); };
  EXPECT_LT(largest_difference(objective_gradient(prompt, logits), central_differences(objective, logits)), 1e-9);
  const auto moving_variance = [&](const Vector& z) {
    const Vector logprobs = log_softmax(z);
    return weighted_variance(probabilities(logprobs), regularized_rewards(prompt, logprobs)) / 2;
  };
  EXPECT_LT(largest_difference(through_sampling_gradient(prompt, logits), central_differences(moving_variance, logits)),
            1e-9);
  const auto foil = [&](const Vector& z) {
    const Vector logprobs = log_softmax(z);
    const double mean = weighted_mean(mu, prompt.rewards);
    double loss = prompt.beta * kl_divergence(logprobs, prompt.ref_logprobs);
    for (size_t y = 0; y < mu.size(); ++y) loss -= mu[y] * (prompt.rewards[y] - mean) * logprobs[y];
    return loss;
  };
  EXPECT_LT(largest_difference(foil_gradient(prompt, logits, mu), central_differences(foil, logits)), 1e-9);
}

TEST(ExactGradient, OnPolicyAgroAndTheFoilAreMinusTheObjectives) {
  const TabularPrompt prompt = some_prompts(0.3)[2];
  const Vector logprobs = random_logprobs(10, 6, 0), policy = probabilities(logprobs);
  Vector uphill = objective_gradient(prompt, logprobs);
  for (double& x : uphill) x = -x;
  EXPECT_LT(largest_difference(foil_gradient(prompt, logprobs, policy), uphill), 1e-15);
  for (double& x : uphill) x *= prompt.beta;
  EXPECT_LT(largest_difference(consistency_gradient(prompt, logprobs, policy), uphill), 1e-15);
}

TEST(ExactGradient, CurvaturesAreTheJacobians) {
  const TabularPrompt prompt = some_prompts(0.3)[0];
  const Vector logits = random_logprobs(10, 7, 0);
  for (const Source source : {Source::kOtherModel, Source::kMixture, Source::kPolicy}) {
    const Behavior behavior(source, prompt, random_logprobs(10, 7, 1));
    const SquareMatrix curvature =
        foil_curvature(prompt, logits, behavior.probabilities(logits), behavior.policy_share());
    for (size_t i = 0; i < logits.size(); ++i) {
      const auto component = [&](const Vector& z) {
        const Vector logprobs = log_softmax(z);
        return foil_gradient(prompt, logprobs, behavior.probabilities(logprobs))[i];
      };
      const Vector row(curvature.values.begin() + static_cast<std::ptrdiff_t>(i * 10),
                       curvature.values.begin() + static_cast<std::ptrdiff_t>(i * 10 + 10));
      EXPECT_LT(largest_difference(row, central_differences(component, logits)), 1e-9) << name_of(source);
    }
  }
  const Vector mu = probabilities(random_logprobs(10, 7, 1));
  const SquareMatrix curvature = consistency_curvature(prompt, mu);
  const auto first = [&](const Vector& z) { return consistency_gradient(prompt, log_softmax(z), mu)[0]; };
  const Vector row(curvature.values.begin(), curvature.values.begin() + 10);
  EXPECT_LT(largest_difference(row, central_differences(first, logits)), 1e-9);
  const SquareMatrix moving = through_sampling_curvature(prompt, logits);
  for (size_t i = 0; i < logits.size(); ++i) {
    const auto component = [&](const Vector& z) { return through_sampling_gradient(prompt, log_softmax(z))[i]; };
    const Vector moving_row(moving.values.begin() + static_cast<std::ptrdiff_t>(i * 10),
                            moving.values.begin() + static_cast<std::ptrdiff_t>(i * 10 + 10));
    EXPECT_LT(largest_difference(moving_row, central_differences(component, logits)), 1e-9);
  }
}

// With R of two values 2s apart, s² = β² + Var R, every ½ d² - β d - ½ Var R is zero: docs/theory.md. The set A of the
// upper value and u = s/β > 1 with e^{-2u} Z_A/Z_B = (u - 1)/(u + 1) say which.
TEST(ExactGradient, ThroughTheSamplingIsZeroElsewhereToo) {
  TabularPrompt prompt;
  prompt.beta = 0.5;
  prompt.rewards = {0.2, 0.9, 0.5};
  prompt.ref_logprobs = log_softmax({0.3, -0.4, 0.8});
  for (const unsigned subset : {1u, 2u, 3u, 4u, 5u, 6u}) {
    Vector logits = optimal_logprobs(prompt);
    double upper = 0, lower = 0;
    for (size_t y = 0; y < 3; ++y) ((subset >> y & 1u) != 0 ? upper : lower) += std::exp(logits[y]);
    double low = 1, high = 50;
    for (int i = 0; i < 200; ++i) {
      const double u = (low + high) / 2;
      (std::exp(-2 * u) * upper / lower > (u - 1) / (u + 1) ? low : high) = u;
    }
    for (size_t y = 0; y < 3; ++y)
      if ((subset >> y & 1u) != 0) logits[y] -= 2 * low;
    const Vector logprobs = log_softmax(logits);
    for (const double x : through_sampling_gradient(prompt, logprobs)) EXPECT_LT(std::abs(x), 1e-15) << subset;
    EXPECT_GT(weighted_variance(probabilities(logprobs), regularized_rewards(prompt, logprobs)), 1e-3) << subset;
  }
}

TEST(Linear, SolvesOrSaysThatAPivotIsNotPositive) {
  SquareMatrix a(2);
  a.values = {4, 1, 2, 3};
  const auto x = solve_with_positive_pivots(a, {9, 13});
  ASSERT_TRUE(x);
  EXPECT_LT(largest_difference(*x, {1.4, 3.4}), 1e-14);
  a.values = {1, 2, 2, 1};
  EXPECT_FALSE(solve_with_positive_pivots(a, {1, 1}));
}

}  // namespace
}  // namespace agro
