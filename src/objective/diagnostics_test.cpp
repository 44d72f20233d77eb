#include "objective/diagnostics.h"

#include <cmath>

#include "objective/kl.h"
#include "objective/test_support.h"

namespace agro {
namespace {

using namespace testing;

TEST(ValueEstimate, IsTheLogMeanExponential) {
  const std::vector<double> rewards = {0, 1, 1, 0};
  EXPECT_NEAR(value_estimate(rewards, 0.5), 0.5 * std::log((1 + std::exp(2.0)) / 2), 1e-15);
  EXPECT_NEAR(value_estimate(rewards, 1e9), 0.5, 1e-8);
  EXPECT_EQ(value_estimate(rewards, 0), 1);
}

TEST(ValueEstimate, SurvivesTinyBetaAndHugeRewards) {
  EXPECT_NEAR(value_estimate(std::vector<double>{0, 1}, 1e-6), 1 - 1e-6 * std::log(2), 1e-12);
  EXPECT_NEAR(value_estimate(std::vector<double>{1e6, 1e6}, 0.1), 1e6, 1e-6);
  EXPECT_NEAR(value_estimate(std::vector<double>{-1e6, -1e6 - 1}, 0.01), -1e6 - 0.01 * std::log(2), 1e-6);
}

TEST(ValueEstimate, RefusesNothingAndNegativeBeta) {
  EXPECT_NE(message_of([] { value_estimate({}, 0.1); }).find("at least one"), std::string::npos);
  EXPECT_NE(message_of([] { value_estimate(std::vector<double>{1}, -1); }).find("at least 0"), std::string::npos);
}

TEST(OptimalityGap, IsHalfTheVarianceOverBetaToSecondOrder) {
  const std::vector<double> rewards = {0.01, -0.02, 0.03, 0.005, -0.025};
  double mean = 0, variance = 0;
  for (const double r : rewards) mean += r / 5;
  for (const double r : rewards) variance += (r - mean) * (r - mean) / 5;
  EXPECT_NEAR(optimality_gap(rewards, 2) / (variance / 4), 1, 1e-2);
  EXPECT_EQ(optimality_gap(std::vector<double>{0.7, 0.7, 0.7}, 0.1), 0);
}

TEST(LeakStatistics, SeparatesSourcesAndRewards) {
  const std::vector<double> ratios = {-8, -4, -2, 1, 3}, rewards = {1, 0, 0, 1, 0};
  const std::vector<std::string> sources = {"stored", "stored", "stored", "fresh", "fresh"};
  const auto statistics = leak_statistics(ratios, rewards, sources);
  ASSERT_EQ(statistics.size(), 2u);
  const LeakStatistics& stored = statistics.at("stored");
  EXPECT_EQ(stored.rewarded, -8);
  EXPECT_EQ(stored.unrewarded, -3);
  EXPECT_EQ(stored.unrewarded_count, 2);
  EXPECT_TRUE(stored.leaks(2));
  EXPECT_FALSE(stored.leaks(5));  // only one of the two fell that far
  EXPECT_FALSE(statistics.at("fresh").leaks(0));
  EXPECT_FALSE(LeakStatistics{}.leaks(0));
}

TEST(LeakStatistics, JudgesTheClassThatExists) {
  const auto statistics =
      leak_statistics(std::vector<double>{-6}, std::vector<double>{0}, std::vector<std::string>{"a"});
  EXPECT_TRUE(statistics.at("a").leaks(5));
  EXPECT_NE(message_of([] { leak_statistics(std::vector<double>{1}, {}, {}); }).find("found 1, 0 and 0"),
            std::string::npos);
}

TEST(CommonMetrics, AreMeansOverResponses) {
  ObjectiveInput input = random_batch(61, {2, 3});
  input.rewards = doubles({1.0, 1.0, 1.0, 0.0, 0.0});  // groups 0 1 0 1 1
  const Metrics metrics = common_metrics(input);
  EXPECT_NEAR(metric(metrics, "reward_mean"), 0.6, 1e-15);
  EXPECT_EQ(metric(metrics, "equal_reward_groups"), 0.5);
  EXPECT_NEAR(metric(metrics, "log_ratio_mean"), (input.logprobs - input.ref_logprobs).sum().item<double>() / 5, 1e-14);
  EXPECT_NEAR(metric(metrics, "kl_k3"), kl_k3(input.logprobs, input.ref_logprobs).sum().item<double>() / 5, 1e-14);
}

}  // namespace
}  // namespace agro
