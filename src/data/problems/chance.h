#pragma once
// Random choices of one problem, made in order.
#include <span>

#include "core/rng.h"

namespace agro {

class Chance {
 public:
  /// `ordinal` numbers the problem.
  Chance(uint64_t seed, uint64_t ordinal) : key_{seed, Stream::kProblems, ordinal, 0, 0} {}

  /// Uniform in [low, high]; low where the interval is empty.
  int64_t between(int64_t low, int64_t high) {
    if (high <= low) return low;
    ++key_.position;
    return low + static_cast<int64_t>(uniform_below(key_, static_cast<uint64_t>(high - low + 1)));
  }

  template <class Range>
  const auto& pick(const Range& choices) {
    return choices[static_cast<size_t>(between(0, static_cast<int64_t>(std::size(choices)) - 1))];
  }

  /// True in `percent` of a hundred cases.
  bool percent(int64_t percent) { return between(1, 100) <= percent; }

 private:
  DrawKey key_;
};

}  // namespace agro
