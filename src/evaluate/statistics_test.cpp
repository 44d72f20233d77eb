// Intervals and estimates against published values, brute force and identities.
#include "evaluate/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/error.h"

namespace agro {
namespace {

TEST(Wilson, PublishedIntervals) {
  // Newcombe 1998, Statistics in Medicine 17:857, table I, method 3.
  const auto expect = [](int64_t successes, int64_t trials, double low, double high) {
    const Interval found = wilson_interval(successes, trials);
    EXPECT_NEAR(found.low, low, 5e-5) << successes << '/' << trials;
    EXPECT_NEAR(found.high, high, 5e-5) << successes << '/' << trials;
  };
  expect(81, 263, 0.2553, 0.3662);
  expect(15, 148, 0.0624, 0.1605);
  expect(0, 20, 0, 0.1611);
  expect(1, 29, 0.0061, 0.1718);
}

TEST(Wilson, EndsAreTheProportionsWhoseScoreTestJustRejects) {
  for (int64_t n = 1; n <= 40; ++n) {
    for (int64_t s = 0; s <= n; ++s) {
      const Interval found = wilson_interval(s, n), mirrored = wilson_interval(n - s, n);
      const double share = static_cast<double>(s) / static_cast<double>(n);
      for (const double p : {found.low, found.high})
        EXPECT_NEAR(std::pow(share - p, 2), kNormal95 * kNormal95 * p * (1 - p) / static_cast<double>(n), 1e-12);
      EXPECT_NEAR(found.low, 1 - mirrored.high, 1e-12);
      EXPECT_LE(found.low, share);
      EXPECT_GE(found.high, share);
    }
  }
  EXPECT_THROW(wilson_interval(1, 0), Error);
  EXPECT_THROW(wilson_interval(3, 2), Error);
}

TEST(PassAtK, IsTheShareOfSubsetsThatHoldARightResponse) {
  for (int n = 1; n <= 10; ++n) {
    for (int c = 0; c <= n; ++c) {
      std::vector<int> subsets(static_cast<size_t>(n) + 1), hits(static_cast<size_t>(n) + 1);
      const unsigned right = (1U << c) - 1;
      for (unsigned subset = 0; subset < 1U << n; ++subset) {
        const auto size = static_cast<size_t>(std::popcount(subset));
        ++subsets[size];
        hits[size] += (subset & right) != 0 ? 1 : 0;
      }
      for (int k = 1; k <= n; ++k) {
        const auto at = static_cast<size_t>(k);
        EXPECT_NEAR(pass_at_k(n, c, k), static_cast<double>(hits[at]) / subsets[at], 1e-12)
            << n << ' ' << c << ' ' << k;
      }
    }
  }
  EXPECT_THROW(pass_at_k(4, 2, 5), Error);
  EXPECT_THROW(pass_at_k(4, 5, 1), Error);
  EXPECT_THROW(pass_at_k(4, 1, 0), Error);
}

TEST(Quantile, IsLinearBetweenNeighbours) {
  const std::vector<double> values = {1, 2, 4, 8};
  EXPECT_EQ(quantile(values, 0), 1);
  EXPECT_EQ(quantile(values, 1), 8);
  EXPECT_EQ(quantile(values, 0.5), 3);
  EXPECT_NEAR(quantile(values, 0.9), 6.8, 1e-12);
  EXPECT_EQ(quantile(std::vector<double>{5}, 0.3), 5);
  EXPECT_THROW(quantile({}, 0.5), Error);
}

/// Of all 4^4 resamples, the share whose mean is below or equal to `bound`.
double share_of_resamples(const std::vector<double>& x, double bound, bool inclusive) {
  int count = 0;
  for (int code = 0; code < 256; ++code) {
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum += x[static_cast<size_t>(code >> (2 * i) & 3)];
    count += inclusive ? sum / 4 <= bound + 1e-12 : sum / 4 < bound - 1e-12;
  }
  return count / 256.0;
}

TEST(Bootstrap, ItsEndsAreQuantilesOfAllResamples) {
  const std::vector<double> x = {0, 1, 3, 10};
  const std::vector<std::vector<double>> columns = {x, {2, 2, 2, 2}};
  const std::vector<Interval> found = bootstrap_intervals(columns, 7, 20000);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_LE(share_of_resamples(x, found[0].low, false), 0.025 + 0.005);
  EXPECT_GE(share_of_resamples(x, found[0].low, true), 0.025 - 0.005);
  EXPECT_LE(share_of_resamples(x, found[0].high, false), 0.975 + 0.005);
  EXPECT_GE(share_of_resamples(x, found[0].high, true), 0.975 - 0.005);
  EXPECT_EQ(found[1].low, 2);
  EXPECT_EQ(found[1].high, 2);
}

TEST(Bootstrap, DependsOnValuesAndSeedAlone) {
  std::vector<double> x, y;
  for (int i = 0; i < 50; ++i) x.push_back(i % 7), y.push_back(i % 3);
  const std::vector<std::vector<double>> both = {x, y}, one = {y};
  const auto joint = bootstrap_intervals(both, 1), alone = bootstrap_intervals(one, 1),
             other = bootstrap_intervals(one, 2);
  EXPECT_EQ(joint[1].low, alone[0].low);
  EXPECT_EQ(joint[1].high, alone[0].high);
  EXPECT_TRUE(other[0].low != alone[0].low || other[0].high != alone[0].high);
  // Near the normal interval where there are many prompts.
  double squares = 0;
  for (const double v : y) squares += (v - mean(y)) * (v - mean(y)) / 50;
  EXPECT_NEAR(alone[0].high - alone[0].low, 2 * kNormal95 * std::sqrt(squares / 50), 0.03);
  const std::vector<std::vector<double>> uneven = {x, {1}};
  EXPECT_THROW(bootstrap_intervals(uneven, 1), Error);
}

TEST(McNemar, IsTheBinomialTestOfTheDiscordantPrompts) {
  EXPECT_NEAR(mcnemar_exact(2, 12), 2 * (1 + 14 + 91) / 16384.0, 1e-12);
  EXPECT_EQ(mcnemar_exact(2, 12), mcnemar_exact(12, 2));
  EXPECT_NEAR(mcnemar_exact(0, 5), 2.0 / 32, 1e-12);
  EXPECT_EQ(mcnemar_exact(4, 4), 1);
  EXPECT_EQ(mcnemar_exact(0, 0), 1);
  // By brute force over all outcomes: those at least as uneven.
  for (int n = 1; n <= 12; ++n) {
    for (int b = 0; b <= n; ++b) {
      int uneven = 0;
      for (unsigned outcome = 0; outcome < 1U << n; ++outcome)
        uneven += std::abs(2 * std::popcount(outcome) - n) >= std::abs(2 * b - n) ? 1 : 0;
      EXPECT_NEAR(mcnemar_exact(b, n - b), uneven / std::pow(2.0, n), 1e-12) << n << ' ' << b;
    }
  }
}

TEST(PairedDifference, ByHand) {
  // Wilson intervals of 48/50 and 38/50: 0.8654 to 0.9890, 0.6259 to 0.8570; correlation −24 / √(48·2·38·12).
  const Interval found = paired_difference_interval({.both = 36, .only_a = 12, .only_b = 2, .neither = 0});
  EXPECT_NEAR(found.low, 0.0569, 5e-5);
  EXPECT_NEAR(found.high, 0.3404, 5e-5);
}

TEST(PairedDifference, MirrorsAndCovers) {
  const Interval there = paired_difference_interval({.both = 20, .only_a = 9, .only_b = 4, .neither = 7});
  const Interval back = paired_difference_interval({.both = 20, .only_a = 4, .only_b = 9, .neither = 7});
  EXPECT_NEAR(there.low, -back.high, 1e-12);
  EXPECT_NEAR(there.high, -back.low, 1e-12);
  const Interval equal = paired_difference_interval({.both = 30, .only_a = 0, .only_b = 0, .neither = 10});
  EXPECT_LT(equal.low, 0);
  EXPECT_GT(equal.high, 0);
  // Coverage, exactly: the sum over all tables of 30 prompts of the chance of those whose interval holds the truth.
  const double e = 0.35, f = 0.3, g = 0.15, h = 0.2;
  constexpr int kPrompts = 30;
  double covered = 0;
  for (int i = 0; i <= kPrompts; ++i)
    for (int j = 0; i + j <= kPrompts; ++j)
      for (int k = 0; i + j + k <= kPrompts; ++k) {
        const int l = kPrompts - i - j - k;
        const Interval interval = paired_difference_interval({.both = i, .only_a = j, .only_b = k, .neither = l});
        if (interval.low > f - g || interval.high < f - g) continue;
        covered +=
            std::exp(std::lgamma(kPrompts + 1.0) - std::lgamma(i + 1.0) - std::lgamma(j + 1.0) - std::lgamma(k + 1.0) -
                     std::lgamma(l + 1.0) + i * std::log(e) + j * std::log(f) + k * std::log(g) + l * std::log(h));
      }
  EXPECT_GT(covered, 0.94);
  EXPECT_LT(covered, 0.98);
}

}  // namespace
}  // namespace agro
