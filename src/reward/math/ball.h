#pragma once
// Complex balls: a value type over Arb's acb, which keeps rigorous bounds of the error.
#include <acb.h>

#include <cstdint>

#include "reward/math/rational.h"

namespace agro {

class Ball {
 public:
  Ball() { acb_init(value_); }
  explicit Ball(int64_t whole) : Ball() { acb_set_si(value_, whole); }
  Ball(const Rational& exact, int64_t precision) : Ball() { arb_set_fmpq(acb_realref(value_), exact.raw(), precision); }
  Ball(const Ball& other) : Ball() { acb_set(value_, other.value_); }
  Ball(Ball&& other) noexcept : Ball() { acb_swap(value_, other.value_); }
  Ball& operator=(Ball other) noexcept {
    acb_swap(value_, other.value_);
    return *this;
  }
  ~Ball() { acb_clear(value_); }

  bool is_finite() const { return acb_is_finite(value_) != 0; }
  /// Certainly not zero.
  bool is_nonzero() const { return acb_contains_zero(value_) == 0; }
  /// Certainly below 2^-bits in magnitude.
  bool is_below(int64_t bits) const {
    mag_t bound;
    mag_init(bound);
    acb_get_mag(bound, value_);
    const bool below = mag_cmp_2exp_si(bound, -bits) < 0;
    mag_clear(bound);
    return below;
  }
  bool is_real() const { return acb_is_real(value_) != 0; }
  bool is_positive() const { return is_real() && arb_is_positive(acb_realref(value_)) != 0; }
  bool is_negative() const { return is_real() && arb_is_negative(acb_realref(value_)) != 0; }
  /// The middle of the real part.
  double middle() const { return arf_get_d(arb_midref(acb_realref(value_)), ARF_RND_NEAR); }

  acb_struct* raw() { return value_; }
  const acb_struct* raw() const { return value_; }

 private:
  acb_t value_;
};

}  // namespace agro
