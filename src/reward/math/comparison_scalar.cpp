#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reward/excerpt.h"
#include "reward/math/comparison.h"
#include "reward/math/evaluate.h"
#include "reward/math/words.h"

namespace agro {
namespace {

constexpr int kPoints = 8;
constexpr int64_t kLowPrecision = 64;
constexpr int64_t kHundredDigits = 332;  // in bits

std::string at_point(const Expr& difference) { return symbols_of(difference).empty() ? "" : " at one point"; }

/// A decimal fraction as it was written: its value and its digits after the point.
const Expr* as_decimal(const Expr& expr) {
  const Expr& inner = expr.is(Kind::kNegative) ? expr.children[0] : expr;
  return inner.is(Kind::kNumber) && inner.decimals > 0 ? &inner : nullptr;
}

bool is_infinite(const Expr& expr) {
  return expr.is(Kind::kConstant, "infinity") || (expr.is(Kind::kNegative) && is_infinite(expr.children[0]));
}

}  // namespace

Verdict Comparison::scalars(const Expr& a, const Expr& b) {
  if (is_infinite(a) || is_infinite(b)) return {to_string(a) == to_string(b), "infinity is equal only to itself"};
  Verdict verdict = formulas(a, b);
  if (verdict.equal == true) return verdict;
  if (within_tolerance(a, b)) return {true, "the difference is within the tolerance"};
  if (rounds_to(a, b) || rounds_to(b, a)) return {true, "one is the other rounded"};
  return verdict;
}

Verdict Comparison::formulas(const Expr& a, const Expr& b) {
  const auto x = literal(a), y = literal(b);
  if (x && y) {
    if (*x == *y) return {true, "both are " + excerpt(x->to_string())};
    return {false, fmt::format("{} is not {}", excerpt(x->to_string()), excerpt(y->to_string()))};
  }
  const Expr difference = difference_of(a, b);
  std::string problem;
  bool defined = false;
  for (int point = 0; point < 3 && !defined; ++point) {
    try {
      if (evaluate(difference, point, kLowPrecision, budget_).is_nonzero())
        return {false, fmt::format("{} and {} have different values{}", excerpt(to_string(a)), excerpt(to_string(b)),
                                   at_point(difference))};
      defined = true;
    } catch (const Undecided& reason) {
      problem = reason.what();
    }
  }
  try {
    if (forms_.same(forms_.of(a), forms_.of(b))) {
      if (defined || !contains(difference, Kind::kQuotient)) return {true, "both have the same normal form"};
      return {std::nullopt, problem};
    }
  } catch (const Undecided& reason) {
    problem = reason.what();
  }
  if (!defined) return {std::nullopt, problem};
  return agreement(difference);
}

std::optional<bool> Comparison::vanishes(const Expr& expr, int point) {
  // Large terms that cancel cost bits.
  for (const int64_t precision : {kHundredDigits + 64, 3 * kHundredDigits}) {
    const Ball value = evaluate(expr, point, precision, budget_);
    if (value.is_nonzero()) return false;
    if (value.is_below(kHundredDigits)) return true;
  }
  return {};
}

/// A difference that no normal form shows to be zero, at more points and with more digits.
Verdict Comparison::agreement(const Expr& difference) {
  const int points = symbols_of(difference).empty() && !contains(difference, Kind::kUnit) ? 1 : kPoints;
  int agreeing = 0;
  for (int point = 0; point < points; ++point) {
    try {
      const auto zero = vanishes(difference, point);
      if (zero == false) return {false, "the values differ" + at_point(difference)};
      agreeing += zero == true;
    } catch (const Undecided&) {
      // Not every point is in the domain.
    }
  }
  if (agreeing == 0 || 2 * agreeing < points) return {std::nullopt, "no value is known at enough points"};
  if (!rules_.agreement_counts) return {std::nullopt, "the values agree to 100 digits, but that is no proof"};
  return {true, fmt::format("the values agree to 100 digits{}, which counts as equal",
                            points == 1 ? "" : fmt::format(" at {} points", agreeing))};
}

bool Comparison::within_tolerance(const Expr& a, const Expr& b) {
  if (rules_.tolerance == 0 && rules_.relative_tolerance == 0) return false;
  if (!symbols_of(a).empty() || !symbols_of(b).empty()) return false;
  try {
    const Ball x = evaluate(a, 0, kLowPrecision, budget_), y = evaluate(b, 0, kLowPrecision, budget_);
    if (!x.is_real() || !y.is_real()) return false;
    const double larger = std::max(std::abs(x.middle()), std::abs(y.middle()));
    const double allowed = std::max(rules_.tolerance, rules_.relative_tolerance * larger);
    return std::abs(x.middle() - y.middle()) <= allowed + 1e-15 * larger;
  } catch (const Undecided&) {
    return false;
  }
}

bool Comparison::rounds_to(const Expr& decimal, const Expr& exact) {
  if (rules_.rounding == Rules::Rounding::kNever) return false;
  const Expr* written = as_decimal(decimal);
  if (written == nullptr || !symbols_of(exact).empty()) return false;
  try {
    const Ball x = evaluate(decimal, 0, kLowPrecision, budget_), y = evaluate(exact, 0, kLowPrecision, budget_);
    if (!y.is_real()) return false;
    if (rules_.rounding == Rules::Rounding::kSixDecimals) return std::abs(x.middle() - y.middle()) < 0.5000001e-6;
    if (const auto value = literal(exact); value && value->is_finite_decimal()) return false;
    const auto constant = forms_.constant_ratio(forms_.of(exact), forms_.of(number(Rational(1))));
    if (constant && constant->is_finite_decimal()) return false;
    const double magnitude = std::abs(x.middle());
    const bool enough_digits = written->decimals >= 3 && magnitude * std::pow(10.0, written->decimals) >= 100;
    return enough_digits && std::abs(x.middle() - y.middle()) <= 0.5000001 * std::pow(10.0, -written->decimals);
  } catch (const Undecided&) {
    return false;
  }
}

namespace {

/// cm^2 of "cm^2" as of "square centimeters"; none where the unit that is squared is not known.
std::optional<std::string> known_unit(std::string_view name) {
  std::string power;
  if (const size_t at = name.find('^'); at != std::string_view::npos) {
    power = name.substr(at);
    name = name.substr(0, at);
  } else if (name.starts_with("square ")) {
    power = "^2", name.remove_prefix(7);
  } else if (name.starts_with("cubic ")) {
    power = "^3", name.remove_prefix(6);
  }
  const auto unit = find_unit(name);
  return unit ? std::optional(std::string(*unit) + power) : std::nullopt;
}

}  // namespace

Verdict Comparison::with_units(const Expr& a, const Expr& b) {
  const auto is_percent = [](const Expr& expr) { return expr.is(Kind::kUnit, "%"); };
  if (is_percent(a) != is_percent(b)) {
    const Expr& percent = is_percent(a) ? a : b;
    const Expr& other = is_percent(a) ? b : a;
    Verdict share = other.is(Kind::kUnit) ? Verdict{false, "one is a percentage"} : scalars(percent, other);
    if (share.equal == true || !rules_.percent_is_number) return share;
    return scalars(percent.children[0], other.is(Kind::kUnit) ? other.children[0] : other);
  }
  const auto name_of = [](const Expr& expr) { return expr.is(Kind::kUnit) ? expr.name : std::string(); };
  const auto value_of = [](const Expr& expr) { return expr.is(Kind::kUnit) ? expr.children[0] : expr; };
  const std::string left = name_of(a), right = name_of(b);
  const bool one_missing = left.empty() || right.empty();
  const std::optional<std::string> left_known = known_unit(left), right_known = known_unit(right);
  const bool both_known = left_known && right_known;
  if (left != right && !(both_known && left_known == right_known)) {
    // 180° is also pi, whatever the rules say of units.
    const bool angle = left == "°" || right == "°";
    if (angle && one_missing && formulas(a, b).equal == true) return {true, "the angles are the same"};
    const bool bases = left.starts_with("base ") && right.starts_with("base ");
    const bool different = rules_.units == Rules::Units::kMustAgree || bases ||
                           (rules_.units == Rules::Units::kMayBeMissing && !one_missing && both_known);
    if (different) return {false, fmt::format("the units are \"{}\" and \"{}\"", excerpt(left), excerpt(right))};
  }
  return compare_prepared(value_of(a), value_of(b));
}

}  // namespace agro
