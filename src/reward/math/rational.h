#pragma once
// Exact rational numbers of any size: a value type over FLINT's fmpq.
#include <flint/fmpq.h>

#include <compare>
#include <cstdint>
#include <string>

namespace agro {

class Rational {
 public:
  Rational() { fmpq_init(value_); }
  Rational(int64_t whole) : Rational() { fmpz_set_si(fmpq_numref(value_), whole); }
  /// Throws Undecided where `denominator` is 0.
  Rational(const Rational& numerator, const Rational& denominator) : Rational(numerator / denominator) {}
  Rational(const Rational& other) : Rational() { fmpq_set(value_, other.value_); }
  Rational(Rational&& other) noexcept : Rational() { fmpq_swap(value_, other.value_); }
  Rational& operator=(const Rational& other) {
    fmpq_set(value_, other.value_);
    return *this;
  }
  Rational& operator=(Rational&& other) noexcept {
    fmpq_swap(value_, other.value_);
    return *this;
  }
  ~Rational() { fmpq_clear(value_); }

  /// digits × 10^exponent, where `digits` is not empty and all decimal.
  static Rational decimal(const std::string& digits, int64_t exponent);

  Rational operator+(const Rational& other) const;
  Rational operator-(const Rational& other) const;
  Rational operator*(const Rational& other) const;
  /// Throws Undecided for a divisor of 0.
  Rational operator/(const Rational& other) const;
  Rational operator-() const;
  Rational& operator+=(const Rational& other) { return *this = *this + other; }
  Rational& operator*=(const Rational& other) { return *this = *this * other; }

  bool operator==(const Rational& other) const { return fmpq_equal(value_, other.value_) != 0; }
  std::strong_ordering operator<=>(const Rational& other) const { return fmpq_cmp(value_, other.value_) <=> 0; }

  bool is_zero() const { return fmpq_is_zero(value_) != 0; }
  bool is_one() const { return fmpq_is_one(value_) != 0; }
  bool is_integer() const { return fmpz_is_one(fmpq_denref(value_)) != 0; }
  int sign() const { return fmpq_sgn(value_); }
  Rational abs() const { return sign() < 0 ? -*this : *this; }
  Rational numerator() const;
  Rational denominator() const;
  Rational floor() const;

  /// Bits of the larger of numerator and denominator.
  int64_t bits() const;
  /// Whether it is an integer in [-bound, bound]; bound below 2^62.
  bool is_small_integer(int64_t bound) const;
  /// Only of a small integer.
  int64_t to_int() const { return fmpz_get_si(fmpq_numref(value_)); }
  /// Whether finitely many decimal digits write it.
  bool is_finite_decimal() const;
  double to_double() const;
  /// "3", "-1/2"; beyond 256 bits in base 16 after "0x". Equal texts for equal numbers only.
  std::string to_string() const;

  /// Any integer power; throws Undecided for 0 to a negative one and for results beyond 16,384 bits.
  Rational power(int64_t exponent) const;

  const fmpq* raw() const { return value_; }
  fmpq* raw() { return value_; }

 private:
  fmpq_t value_;
};

}  // namespace agro
