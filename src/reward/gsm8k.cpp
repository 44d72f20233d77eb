#include "reward/gsm8k.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/ascii.h"
#include "reward/math/rational.h"
#include "reward/number.h"

namespace agro {
namespace {

constexpr std::string_view kMark = "####";
constexpr std::array<std::string_view, 3> kSlashes = {"/", "\u2044", "\u2215"};

/// A number, or the fraction that begins with it.
struct Answer {
  Decimal number;
  std::optional<Rational> fraction;  // value of "3/4" and "1 1/2"
  size_t end = 0;                    // in the text

  double to_double() const { return fraction ? fraction->to_double() : number.to_double(); }
  std::string to_string() const { return fraction ? fraction->to_string() : number.to_string(); }
};

size_t skip_spaces(std::string_view text, size_t from) {
  return std::min(text.find_first_not_of(" \t", from), text.size());
}

/// The number that comes next, after spaces.
std::optional<FoundNumber> number_at(std::string_view text, size_t from) {
  from = skip_spaces(text, from);
  std::optional<FoundNumber> found = first_number(text.substr(from), Commas::kIgnored);
  if (!found || found->begin != 0) return {};
  found->begin += from;
  found->end += from;
  return found;
}

/// The number after the slash that comes next.
std::optional<FoundNumber> denominator_at(std::string_view text, size_t from) {
  from = skip_spaces(text, from);
  for (const std::string_view slash : kSlashes)
    if (text.substr(from).starts_with(slash)) return number_at(text, from + slash.size());
  return {};
}

/// None where writing the number out would be long.
std::optional<Rational> exact(const Decimal& number) {
  constexpr int64_t kLong = 64;
  const auto count = static_cast<int64_t>(number.digits.size());
  if (count > kLong || std::abs(number.exponent) > kLong) return {};
  if (count == 0) return Rational();
  Rational value = Rational::decimal(number.digits, number.exponent - count);
  return number.negative ? -value : value;
}

/// What a line begins with. None as well for a fraction without a value (1/0, 1/2/2020) and for one that is long.
std::optional<Answer> leading_answer(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  const std::optional<FoundNumber> first = number_at(line, 0);
  if (!first) return {};
  Answer answer{first->value, {}, first->end};
  std::optional<FoundNumber> numerator = first, denominator = denominator_at(line, first->end);
  std::optional<Rational> whole = Rational();
  if (!denominator) {  // a mixed number?
    numerator = number_at(line, first->end);
    if (!numerator || numerator->begin == first->end || !is_digit(line[numerator->begin])) return answer;
    denominator = denominator_at(line, numerator->end);
    if (!denominator) return answer;
    whole = exact(first->value);
  }
  const std::optional<Rational> top = exact(numerator->value), bottom = exact(denominator->value);
  if (!whole || !top || !bottom || bottom->is_zero() || denominator_at(line, denominator->end)) return {};
  const Rational part = *top / *bottom;
  answer.fraction = whole->sign() < 0 ? *whole - part : *whole + part;
  answer.end = denominator->end;
  return answer;
}

std::optional<Answer> marked_answer(std::string_view text) {
  const size_t mark = text.rfind(kMark);
  if (mark == std::string_view::npos) return {};
  return leading_answer(text.substr(mark + kMark.size()));
}

/// The answer that a text is, with nothing else in it.
std::optional<Answer> bare_answer(std::string_view text) {
  text = trimmed(text);
  std::optional<Answer> answer = leading_answer(text);
  if (answer && answer->end != text.size()) answer.reset();
  return answer;
}

bool agree(const Answer& gold, const Answer& pred, const VerifyOptions& options) {
  const double absolute = options.tolerance, relative = options.relative_tolerance;
  if (!gold.fraction) return !pred.fraction && numbers_agree(gold.number, pred.number, absolute, relative);
  const std::optional<Rational> value = pred.fraction ? pred.fraction : exact(pred.number);
  if (value && *value == *gold.fraction) return true;
  return (absolute != 0 || relative != 0) && within_tolerance(gold.to_double(), pred.to_double(), absolute, relative);
}

}  // namespace

Verdict verify_gsm8k(std::string_view gold, std::string_view pred, const VerifyOptions& options) {
  const bool whole_solution = gold.find(kMark) != std::string_view::npos;
  const std::optional<Answer> expected = whole_solution ? marked_answer(gold) : leading_answer(gold);
  if (!expected)
    return {std::nullopt, "the gold answer is neither a solution that ends in \"#### NUMBER\" nor a number"};
  const bool marked = pred.find(kMark) != std::string_view::npos;
  const std::optional<Answer> found = marked ? marked_answer(pred) : bare_answer(pred);
  if (!found)
    return {false, fmt::format("expected {}, the prediction holds no \"#### NUMBER\"", expected->to_string())};
  return {agree(*expected, *found, options),
          fmt::format("expected {}, the answer is {}", expected->to_string(), found->to_string())};
}

}  // namespace agro
