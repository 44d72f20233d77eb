#include "reward/math/rational.h"

#include <flint/fmpz.h>

#include <algorithm>
#include <cstdlib>

#include "reward/math/budget.h"

namespace agro {
namespace {

constexpr int64_t kMaxPowerBits = 16'384;

std::string text_of(const fmpz* value) {
  // Decimal digits of long numbers take quadratic time, and nobody reads them.
  constexpr ulong kLongBits = 256;
  const bool is_long = fmpz_bits(value) > kLongBits;
  char* text = fmpz_get_str(nullptr, is_long ? 16 : 10, value);
  std::string copy = std::string(is_long ? "0x" : "") + text;
  flint_free(text);
  return copy;
}

}  // namespace

Rational Rational::decimal(const std::string& digits, int64_t exponent) {
  Rational value;
  fmpz_set_str(fmpq_numref(value.value_), digits.c_str(), 10);
  return exponent == 0 ? value : value * Rational(10).power(exponent);
}

Rational Rational::operator+(const Rational& other) const {
  Rational result;
  fmpq_add(result.value_, value_, other.value_);
  return result;
}

Rational Rational::operator-(const Rational& other) const {
  Rational result;
  fmpq_sub(result.value_, value_, other.value_);
  return result;
}

Rational Rational::operator*(const Rational& other) const {
  Rational result;
  fmpq_mul(result.value_, value_, other.value_);
  return result;
}

Rational Rational::operator/(const Rational& other) const {
  if (other.is_zero()) throw Undecided("division by zero");
  Rational result;
  fmpq_div(result.value_, value_, other.value_);
  return result;
}

Rational Rational::operator-() const {
  Rational result;
  fmpq_neg(result.value_, value_);
  return result;
}

Rational Rational::numerator() const {
  Rational result;
  fmpz_set(fmpq_numref(result.value_), fmpq_numref(value_));
  return result;
}

Rational Rational::denominator() const {
  Rational result;
  fmpz_set(fmpq_numref(result.value_), fmpq_denref(value_));
  return result;
}

Rational Rational::floor() const {
  Rational result;
  fmpz_fdiv_q(fmpq_numref(result.value_), fmpq_numref(value_), fmpq_denref(value_));
  return result;
}

int64_t Rational::bits() const {
  return static_cast<int64_t>(std::max(fmpz_bits(fmpq_numref(value_)), fmpz_bits(fmpq_denref(value_))));
}

bool Rational::is_small_integer(int64_t bound) const {
  return is_integer() && fmpz_cmp_si(fmpq_numref(value_), bound) <= 0 && fmpz_cmp_si(fmpq_numref(value_), -bound) >= 0;
}

bool Rational::is_finite_decimal() const {
  Rational rest = denominator();
  const auto bound = static_cast<ulong>(rest.bits());
  fmpz* d = fmpq_numref(rest.value_);
  for (const ulong prime : {2UL, 5UL}) {
    fmpz_t factor;
    fmpz_init_set_ui(factor, prime);
    fmpz_remove(d, d, factor);
    fmpz_clear(factor);
  }
  return bound == 0 || fmpz_is_one(d) != 0;
}

double Rational::to_double() const { return fmpq_get_d(value_); }

std::string Rational::to_string() const {
  const std::string top = text_of(fmpq_numref(value_));
  return is_integer() ? top : top + "/" + text_of(fmpq_denref(value_));
}

Rational Rational::power(int64_t exponent) const {
  if (is_zero() && exponent < 0) throw Undecided("division by zero");
  if (exponent == 0) return Rational(1);
  const bool unit = bits() <= 1 && is_integer();
  if (!unit && std::abs(exponent) > kMaxPowerBits / bits()) throw Undecided("a power is too large to write out");
  if (unit) exponent = (is_zero() || sign() > 0 || exponent % 2 == 0) ? 2 : 1;
  Rational result;
  fmpq_pow_si(result.value_, value_, exponent);
  return result;
}

}  // namespace agro
