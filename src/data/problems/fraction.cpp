#include "data/problems/fraction.h"

#include <numeric>

#include "core/error.h"

namespace agro {
namespace {

int64_t times(int64_t a, int64_t b) {
  int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) throw fail("{} * {} is too large", a, b);
  return result;
}

int64_t plus(int64_t a, int64_t b) {
  int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) throw fail("{} + {} is too large", a, b);
  return result;
}

}  // namespace

Fraction make_fraction(int64_t num, int64_t den) {
  if (den == 0) throw fail("{} / 0 is no number", num);
  const int64_t common = (den < 0 ? -1 : 1) * std::gcd(num, den);
  return {num / common, den / common};
}

Fraction apply(Fraction left, char op, Fraction right) {
  switch (op) {
    case '+':
      return make_fraction(plus(times(left.num, right.den), times(right.num, left.den)), times(left.den, right.den));
    case '-':
      return make_fraction(plus(times(left.num, right.den), -times(right.num, left.den)), times(left.den, right.den));
    case '*':
      return make_fraction(times(left.num, right.num), times(left.den, right.den));
    case '/':
      return make_fraction(times(left.num, right.den), times(left.den, right.num));
    default:
      throw fail("an operation is '{}', expected + - * or /", op);
  }
}

std::string to_text(Fraction value) {
  return value.is_whole() ? std::to_string(value.num) : fmt::format("{}/{}", value.num, value.den);
}

}  // namespace agro
