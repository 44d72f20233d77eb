#pragma once
// What the tests of this room share.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "lab/tabular.h"

namespace agro::testing {

inline TabularProblem some_prompts(double beta) { return random_problem({5, 10, beta}, 17, 0); }

inline double largest_difference(const Vector& a, const Vector& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

template <class Function>
Vector central_differences(const Function& f, const Vector& x) {
  constexpr double kStep = 1e-5;
  Vector slope(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    Vector up = x, down = x;
    up[i] += kStep;
    down[i] -= kStep;
    slope[i] = (f(up) - f(down)) / (2 * kStep);
  }
  return slope;
}

}  // namespace agro::testing
