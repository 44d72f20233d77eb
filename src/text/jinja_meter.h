#pragma once
// The work one rendering may do. Templates come with downloaded models, so every loop and every string they build is
// paid for.
#include <cstddef>

#include "core/error.h"

namespace agro::detail::jinja {

/// A budget in units of about one byte read or written; it bounds time, memory and output together.
class Meter {
 public:
  static constexpr size_t kBudget = size_t{1} << 28;
  static constexpr size_t kStep = 32;  // one expression or statement, or one element of a new list

  /// Throws Error once the budget is used up.
  void spend(size_t units) {
    if (units > left_) throw fail("the template needs more work than the {} units allowed", kBudget);
    left_ -= units;
  }
  void spend(size_t count, size_t units_each) {
    if (units_each != 0 && count > left_ / units_each) spend(kBudget + 1);
    spend(count * units_each);
  }

 private:
  size_t left_ = kBudget;
};

}  // namespace agro::detail::jinja
