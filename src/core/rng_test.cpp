#include "core/rng.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>
#include <vector>

namespace agro {
namespace {

using Words = std::array<uint32_t, 4>;
constexpr int kSamples = 200000;

// The known answers published with Random123 (kat_vectors, "philox4x32 10").
TEST(Rng, PhiloxKnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  // Digits of pi.
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Rng, EveryCoordinateChangesTheNumber) {
  const std::vector<DrawKey> keys = {
      {},
      {.seed = 1},
      {.seed = uint64_t{1} << 40},
      {.stream = Stream::kEvaluation},
      {.ordinal = 1},
      {.ordinal = uint64_t{1} << 32},
      {.draw = 1},
      {.position = 1},
  };
  std::set<double> values;
  for (const DrawKey& key : keys) {
    values.insert(uniform01(key));
    EXPECT_EQ(uniform01(key), uniform01(key));
  }
  EXPECT_EQ(values.size(), keys.size());
}

/// Pearson's statistic of `value(i)` in [0, 1) over 64 equal bins: mean 63, standard deviation sqrt(126) = 11.2.
double chi_square(const std::function<double(uint32_t)>& value) {
  constexpr size_t kBins = 64;
  std::vector<double> counts(kBins);
  for (uint32_t i = 0; i < kSamples; ++i) counts.at(static_cast<size_t>(value(i) * kBins)) += 1;
  constexpr double kExpected = static_cast<double>(kSamples) / kBins;
  double sum = 0;
  for (const double count : counts) sum += (count - kExpected) * (count - kExpected) / kExpected;
  return sum;
}

TEST(Rng, UniformAlongEveryCoordinate) {
  constexpr double kFiveSigma = 63 + 5 * 11.2;
  EXPECT_LT(chi_square([](uint32_t i) { return uniform01({.seed = i}); }), kFiveSigma);
  EXPECT_LT(chi_square([](uint32_t i) { return uniform01({.ordinal = i}); }), kFiveSigma);
  EXPECT_LT(chi_square([](uint32_t i) { return uniform01({.draw = i}); }), kFiveSigma);
  EXPECT_LT(chi_square([](uint32_t i) { return uniform01({.position = i}); }), kFiveSigma);
}

TEST(Rng, NeighboursAreIndependent) {
  // The fractional part of a sum or difference of two independent uniforms is uniform; of dependent ones it is not.
  const auto wrapped_difference = [](const DrawKey& a, const DrawKey& b) {
    const double difference = uniform01(a) - uniform01(b);
    return difference - std::floor(difference);
  };
  constexpr double kFiveSigma = 63 + 5 * 11.2;
  EXPECT_LT(chi_square([&](uint32_t i) { return wrapped_difference({.position = 2 * i}, {.position = 2 * i + 1}); }),
            kFiveSigma);
  EXPECT_LT(chi_square([&](uint32_t i) { return wrapped_difference({.seed = i}, {.seed = i, .draw = 1}); }),
            kFiveSigma);
  EXPECT_LT(chi_square([&](uint32_t i) {
              return wrapped_difference({.stream = Stream::kSampling, .position = i},
                                        {.stream = Stream::kEvaluation, .position = i});
            }),
            kFiveSigma);
}

TEST(Rng, NormalMoments) {
  double sum[5] = {};
  for (uint32_t i = 0; i < kSamples; ++i) {
    const double x = normal({.seed = 7, .stream = Stream::kInit, .position = i});
    ASSERT_TRUE(std::isfinite(x));
    for (int power = 1; power <= 4; ++power) sum[power] += std::pow(x, power) / kSamples;
  }
  // Bounds of five standard errors: sqrt(Var(x^k) / N) with Var = 1, 2, 15, 96.
  const double root = std::sqrt(static_cast<double>(kSamples));
  EXPECT_NEAR(sum[1], 0, 5 / root);
  EXPECT_NEAR(sum[2], 1, 5 * std::sqrt(2.0) / root);
  EXPECT_NEAR(sum[3], 0, 5 * std::sqrt(15.0) / root);
  EXPECT_NEAR(sum[4], 3, 5 * std::sqrt(96.0) / root);
}

TEST(Rng, BelowABoundReachesBothEndsAndNothingElse) {
  std::vector<int> counts(3);
  for (uint32_t i = 0; i < 30000; ++i) counts.at(uniform_below({.position = i}, 3))++;
  for (const int count : counts) EXPECT_NEAR(count, 10000, 5 * std::sqrt(30000 * 2.0 / 9));
  EXPECT_EQ(uniform_below({}, 1), 0U);
}

}  // namespace
}  // namespace agro
