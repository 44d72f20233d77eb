#include "reward/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/ascii.h"

namespace agro {
namespace {

constexpr std::string_view kMinus = "\u2212";
constexpr std::array<std::string_view, 3> kSigns = {"-", "+", kMinus};
constexpr std::array<std::string_view, 5> kCurrencies = {"\\$", "$", "€", "£", "¥"};

char at(std::string_view text, size_t i) { return i < text.size() ? text[i] : '\0'; }

size_t skip_digits(std::string_view text, size_t i) {
  while (is_digit(at(text, i))) ++i;
  return i;
}

template <size_t n>
std::string_view one_before(std::string_view text, size_t end, const std::array<std::string_view, n>& marks) {
  for (const std::string_view mark : marks)
    if (text.substr(0, end).ends_with(mark)) return mark;
  return {};
}

template <size_t n>
std::string_view one_at(std::string_view text, size_t begin, const std::array<std::string_view, n>& marks) {
  for (const std::string_view mark : marks)
    if (text.substr(begin).starts_with(mark)) return mark;
  return {};
}

/// The places of the parts of one number. A missing sign is empty, a missing exponent is 0 (it can never stand there).
struct Extent {
  size_t begin, digits, exponent, end;
  std::string_view sign, exponent_sign;
};

size_t integer_end(std::string_view text, size_t begin, Commas commas) {
  size_t end = skip_digits(text, begin);
  if (commas == Commas::kIgnored) {
    while (at(text, end) == ',' && is_digit(at(text, end + 1))) end = skip_digits(text, end + 1);
    return end;
  }
  if (text[begin] == '0' || end == begin || end - begin > 3) return end;
  const auto three_digits_follow = [&] {
    return is_digit(at(text, end + 1)) && is_digit(at(text, end + 2)) && is_digit(at(text, end + 3)) &&
           !is_digit(at(text, end + 4));
  };
  while (at(text, end) == ',' && three_digits_follow()) end += 4;
  return end;
}

void read_exponent(std::string_view text, Extent& extent) {
  constexpr size_t kMaxDigits = 9;
  if (const char e = at(text, extent.end); e != 'e' && e != 'E') return;
  const std::string_view sign = one_at(text, extent.end + 1, kSigns);
  const size_t begin = extent.end + 1 + sign.size();
  size_t end = begin;
  while (is_digit(at(text, end)) && end - begin <= kMaxDigits) ++end;
  if (end == begin || end - begin > kMaxDigits || is_letter(at(text, end))) return;
  extent.exponent = begin;
  extent.exponent_sign = sign;
  extent.end = end;
}

/// Extends the number to the left over "-", "$", "-$" or "$-".
void read_sign(std::string_view text, Extent& extent) {
  const auto take_sign = [&] {
    const std::string_view sign = one_before(text, extent.begin, kSigns);
    if (sign.empty()) return false;
    const size_t place = extent.begin - sign.size();
    const char before = place > 0 ? text[place - 1] : ' ';
    if (is_digit(before) || is_letter(before) || std::string_view(")]}%").find(before) != std::string_view::npos)
      return false;
    extent.sign = sign;
    extent.begin = place;
    return true;
  };
  const bool found = take_sign();
  extent.begin -= one_before(text, extent.begin, kCurrencies).size();
  if (!found) take_sign();
}

std::optional<Extent> locate(std::string_view text, size_t from, Commas commas) {
  const auto starts_here = [&](size_t i) {
    if (is_digit(text[i])) return true;
    const char before = i > 0 ? text[i - 1] : ' ';
    return text[i] == '.' && is_digit(at(text, i + 1)) && !is_digit(before) && !is_letter(before);
  };
  while (from < text.size() && !starts_here(from)) ++from;
  if (from == text.size()) return {};
  Extent extent{.begin = from, .digits = from, .exponent = 0, .end = 0, .sign = {}, .exponent_sign = {}};
  extent.end = integer_end(text, from, commas);
  if (at(text, extent.end) == '.' && is_digit(at(text, extent.end + 1))) extent.end = skip_digits(text, extent.end + 1);
  read_exponent(text, extent);
  read_sign(text, extent);
  return extent;
}

bool is_minus(std::string_view sign) { return sign == "-" || sign == kMinus; }

Decimal to_decimal(std::string_view text, const Extent& extent) {
  Decimal number;
  if (extent.exponent != 0) {
    std::from_chars(text.data() + extent.exponent, text.data() + extent.end, number.exponent);
    if (is_minus(extent.exponent_sign)) number.exponent = -number.exponent;
  }
  bool in_fraction = false, leading = true;
  for (const char c : text.substr(extent.digits, extent.end - extent.digits)) {
    if (c == 'e' || c == 'E') break;
    if (c == '.') in_fraction = true;
    if (!is_digit(c)) continue;
    leading = leading && c == '0';
    if (!leading) number.digits += c;
    if (!leading && !in_fraction) ++number.exponent;
    if (leading && in_fraction) --number.exponent;
  }
  number.digits.erase(number.digits.find_last_not_of('0') + 1);
  if (number.digits.empty()) return {};
  number.negative = is_minus(extent.sign);
  return number;
}

}  // namespace

double Decimal::to_double() const {
  if (digits.empty()) return 0;
  const std::string text = fmt::format("{}0.{}e{}", negative ? "-" : "", digits, exponent);
  double value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc::result_out_of_range)
    value = exponent > 0 ? std::copysign(std::numeric_limits<double>::infinity(), negative ? -1.0 : 1.0) : 0.0;
  return value;
}

std::string Decimal::to_string() const {
  constexpr size_t kLong = 24;
  if (digits.empty()) return "0";
  const std::string sign = negative ? "-" : "";
  if (digits.size() > kLong) return fmt::format("{}0.{}...e{}", sign, digits.substr(0, kLong), exponent);
  const auto count = static_cast<int64_t>(digits.size());
  if (exponent > static_cast<int64_t>(kLong) || exponent < -6) return fmt::format("{}0.{}e{}", sign, digits, exponent);
  if (exponent <= 0) return fmt::format("{}0.{}{}", sign, std::string(static_cast<size_t>(-exponent), '0'), digits);
  if (exponent >= count) return sign + digits + std::string(static_cast<size_t>(exponent - count), '0');
  return fmt::format("{}{}.{}", sign, digits.substr(0, static_cast<size_t>(exponent)),
                     digits.substr(static_cast<size_t>(exponent)));
}

std::optional<FoundNumber> first_number(std::string_view text, Commas commas) {
  const std::optional<Extent> extent = locate(text, 0, commas);
  if (!extent) return {};
  return FoundNumber{to_decimal(text, *extent), extent->begin, extent->end};
}

std::optional<Decimal> last_number(std::string_view text) {
  std::optional<Extent> last;
  for (auto next = locate(text, 0, Commas::kThousands); next; next = locate(text, next->end, Commas::kThousands))
    last = next;
  if (!last) return {};
  return to_decimal(text, *last);
}

bool numbers_agree(const Decimal& gold, const Decimal& pred, double tolerance, double relative_tolerance) {
  if (gold == pred) return true;
  if (tolerance == 0 && relative_tolerance == 0) return false;
  return within_tolerance(gold.to_double(), pred.to_double(), tolerance, relative_tolerance);
}

bool within_tolerance(double gold, double pred, double tolerance, double relative_tolerance) {
  if (!std::isfinite(gold) || !std::isfinite(pred)) return false;
  const double rounding = 4 * std::numeric_limits<double>::epsilon() * std::max(std::abs(gold), std::abs(pred));
  return std::abs(gold - pred) <= std::max(tolerance, relative_tolerance * std::abs(gold)) + rounding;
}

}  // namespace agro
