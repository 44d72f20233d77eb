#include "tensor/ops/adamw_cpu.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/rng.h"
#include "tensor/ops/instruction_sets_test.h"

namespace agro {
namespace {

std::vector<float> random_floats(int64_t count, uint64_t which) {
  std::vector<float> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(normal({20240607, Stream::kTest, which, 3, static_cast<uint32_t>(i)}));
  return values;
}

/// Loshchilov & Hutter 2019, algorithm 2, in float64.
struct PlainAdamw {
  double learning_rate, beta1, beta2, eps, weight_decay;
  std::vector<double> weight, m, v;

  void step(int t, const std::vector<float>& gradient, double scale) {
    for (size_t i = 0; i < weight.size(); ++i) {
      const double g = static_cast<double>(gradient[i]) * scale;
      m[i] = beta1 * m[i] + (1 - beta1) * g;
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      const double m_hat = m[i] / (1 - std::pow(beta1, t)), v_hat = v[i] / (1 - std::pow(beta2, t));
      weight[i] -= learning_rate * (m_hat / (std::sqrt(v_hat) + eps) + weight_decay * weight[i]);
    }
  }
};

double distance(const std::vector<float>& a, const std::vector<double>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(static_cast<double>(a[i]) - b[i]));
  return largest;
}

// Sizes around every vector length and the block of 16384 elements.
TEST(Adamw, TwentyStepsWithClippingAgreeWithFloat64) {
  for (const int64_t n : {1, 7, 16, 33, 1009, 16384, 16385}) {
    on_every_instruction_set([&] {
      const std::vector<float> start = random_floats(n, 1);
      std::vector<float> with_one_thread;
      for (const int threads : {1, 2}) {
        const ThreadsForTest scope(threads);
        PlainAdamw plain{1e-2,
                         0.9,
                         0.95,
                         1e-8,
                         0.1,
                         {start.begin(), start.end()},
                         std::vector<double>(start.size()),
                         std::vector<double>(start.size())};
        std::vector<float> weight = start, m(start.size()), v(start.size());
        for (int t = 1; t <= 20; ++t) {
          const std::vector<float> gradient = random_floats(n, static_cast<uint64_t>(100 + t));
          const double norm = std::sqrt(sum_of_squares(n, gradient.data()));
          const double scale = std::min(1.0, 1.0 / norm);
          plain.step(t, gradient, scale);
          adamw_step({.learning_rate = 1e-2F,
                      .beta1 = 0.9F,
                      .beta2 = 0.95F,
                      .eps = 1e-8F,
                      .weight_decay = 0.1F,
                      .gradient_scale = static_cast<float>(scale),
                      .bias1 = static_cast<float>(1 - std::pow(0.9, t)),
                      .bias2 = static_cast<float>(1 - std::pow(0.95, t))},
                     n, gradient.data(), weight.data(), m.data(), v.data());
        }
        EXPECT_LE(distance(weight, plain.weight), 4e-6) << n;
        EXPECT_LE(distance(m, plain.m), 1e-6) << n;
        EXPECT_LE(distance(v, plain.v), 1e-6) << n;
        if (threads == 1) with_one_thread = weight;
        EXPECT_EQ(weight, with_one_thread) << "not the same bits with two threads";
      }
    });
  }
}

TEST(SumOfSquares, AgreesWithFloat64) {
  for (const int64_t n : {0, 1, 255, 256, 257, 16384, 16385, 40000}) {
    const std::vector<float> x = random_floats(n, 1);
    double exact = 0;
    for (const float value : x) exact += static_cast<double>(value) * static_cast<double>(value);
    on_every_instruction_set([&] {
      double one = 0, two = 0;
      {
        const ThreadsForTest scope(1);
        one = sum_of_squares(n, x.data());
      }
      {
        const ThreadsForTest scope(2);
        two = sum_of_squares(n, x.data());
      }
      EXPECT_NEAR(one, exact, 1e-6 * exact) << n;
      EXPECT_EQ(one, two) << n;
    });
  }
}

TEST(SumOfSquares, ShowsWhatIsNotFinite) {
  for (const int64_t at : {0, 17, 299, 20000}) {
    std::vector<float> x(20001, 1.0F);
    on_every_instruction_set([&] {
      x[static_cast<size_t>(at)] = std::numeric_limits<float>::quiet_NaN();
      EXPECT_TRUE(std::isnan(sum_of_squares(20001, x.data()))) << at;
      x[static_cast<size_t>(at)] = -std::numeric_limits<float>::infinity();
      EXPECT_TRUE(std::isinf(sum_of_squares(20001, x.data()))) << at;
    });
  }
}

}  // namespace
}  // namespace agro
