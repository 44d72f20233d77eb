#pragma once
// Exact small fractions.
#include <cstdint>
#include <string>

namespace agro {

/// In lowest terms, the denominator above 0.
struct Fraction {
  int64_t num = 0, den = 1;

  bool is_whole() const { return den == 1; }
  bool operator==(const Fraction&) const = default;
};

/// num/den in lowest terms. Throws Error where den is 0.
Fraction make_fraction(int64_t num, int64_t den = 1);

/// left op right, op one of + - * /. Throws Error for a division by 0, another op, and numbers beyond 64 bits.
Fraction apply(Fraction left, char op, Fraction right);

/// "3", "-7/2".
std::string to_text(Fraction value);

}  // namespace agro
