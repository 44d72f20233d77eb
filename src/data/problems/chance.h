#pragma once
// Random choices of one problem, made in order.
#include <span>

#include "core/rng.h"

namespace agro {

class Chance {
 public:
  /// `ordinal` numbers the problem; `widening` is the factor by which its numbers may be larger than its level says.
  Chance(uint64_t seed, uint64_t ordinal, int64_t widening = 1)
      : key_{seed, Stream::kProblems, ordinal, 0, 0}, widening_(widening) {}

  int64_t widening() const { return widening_; }

  /// Uniform in [low, high]; low where the interval is empty.
  int64_t between(int64_t low, int64_t high) {
    if (high <= low) return low;
    ++key_.position;
    return low + static_cast<int64_t>(uniform_below(key_, static_cast<uint64_t>(high - low + 1)));
  }

  /// A number of the problem itself, uniform in [low, high × widening].
  int64_t number(int64_t low, int64_t high) { return between(low, high * widening_); }

  template <class Range>
  const auto& pick(const Range& choices) {
    return choices[static_cast<size_t>(between(0, static_cast<int64_t>(std::size(choices)) - 1))];
  }

  /// True in `percent` of a hundred cases.
  bool percent(int64_t percent) { return between(1, 100) <= percent; }

 private:
  DrawKey key_;
  int64_t widening_;
};

}  // namespace agro
