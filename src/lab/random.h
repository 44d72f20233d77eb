#pragma once
// A sequence of random numbers for the laboratory: core/rng.h with a running count.
#include <span>

#include "core/rng.h"

namespace agro {

class Random {
 public:
  /// Equal seeds and purposes give equal sequences; the purposes share no numbers.
  enum class Purpose : uint32_t { kProblem, kOtherModel, kDraws };
  Random(uint64_t seed, Purpose purpose, size_t index = 0)
      : key_{.seed = seed, .draw = static_cast<uint32_t>(index), .position = static_cast<uint32_t>(purpose)} {}

  double uniform() { return uniform01(next()); }  // [0, 1)
  double normal() { return agro::normal(next()); }
  size_t below(size_t bound) { return uniform_below(next(), bound); }

  /// An index, drawn with these probabilities; never one of probability zero.
  size_t index(std::span<const double> probabilities) {
    double rest = uniform();
    size_t chosen = 0;
    for (size_t i = 0; i < probabilities.size(); ++i) {
      if (probabilities[i] <= 0) continue;
      chosen = i;
      if ((rest -= probabilities[i]) < 0) break;
    }
    return chosen;
  }

 private:
  const DrawKey& next() {
    ++key_.ordinal;
    return key_;
  }

  DrawKey key_;
};

}  // namespace agro
