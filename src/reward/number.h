#pragma once
// Decimal numbers in running text, kept exact: "1,000", "1000.0" and "1e3" are one value, 0.1 is not its float64.
// Every function here takes time and memory linear in its input.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace agro {

/// ± 0.DIGITS × 10^exponent without leading or trailing zeros; zero has no digits, no sign and exponent 0.
/// Equal values have equal members.
struct Decimal {
  bool negative = false;
  std::string digits;
  int64_t exponent = 0;

  bool operator==(const Decimal&) const = default;

  /// The nearest float64; ±infinity beyond its range.
  double to_double() const;
  /// For messages: plain notation where that is short, else scientific; long digit strings are shortened.
  std::string to_string() const;
};

/// What a comma between digits means.
enum class Commas {
  kThousands,  // part of the number only in 1,234,567 form: "1,2" holds the numbers 1 and 2
  kIgnored,    // always part of the number: "1,2" is 12 (the GSM8K convention)
};

struct FoundNumber {
  Decimal value;
  size_t begin = 0;  // of its sign or currency mark, where it has one
  size_t end = 0;
};

/// The first number of `text`. A number is: digits with optional thousands separators, fraction
/// ("3.5", ".5", but not the full stop of "42.") and exponent ("1e3", at most nine exponent digits). A sign ('-', '+',
/// U+2212) belongs to it where nothing stands before it that it could join: "-4", "$-4" and "-$4" are minus four, but
/// "7-4" and "x-4" end with four. $, €, £ and ¥ are skipped. Units and % after it are ignored: "50%" is 50. "1/2" is
/// two numbers, 1 and 2.
std::optional<FoundNumber> first_number(std::string_view text, Commas commas);

/// The last number of `text`, commas read as thousands separators.
std::optional<Decimal> last_number(std::string_view text);

/// Whether two numbers are equal: exactly when both tolerances are 0, otherwise |a - b| <= max(tolerance,
/// relative_tolerance * |gold|), compared in float64 with its rounding forgiven.
bool numbers_agree(const Decimal& gold, const Decimal& pred, double tolerance, double relative_tolerance);

/// The second half of it: whether two values differ by no more than the larger tolerance. False beyond float64's range.
bool within_tolerance(double gold, double pred, double tolerance, double relative_tolerance);

}  // namespace agro
