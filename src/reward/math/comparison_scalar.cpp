#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reward/excerpt.h"
#include "reward/math/comparison.h"
#include "reward/math/evaluate.h"
#include "reward/math/units.h"

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
      if (!both_real(a, b, point)) continue;
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
  if (!defined && !problem.empty()) return {std::nullopt, problem};
  return agreement(a, b);
}

/// Of functions of variables only real values count where there are any: ln x³ is 3 ln x although their complex values
/// differ. Constants may be complex.
bool Comparison::both_real(const Expr& a, const Expr& b, int point) {
  const auto has_branches = [](const Expr& expr) {
    bool found = has_roots(expr);
    for_each_node(expr, [&](const Expr& part) {
      found = found || part.is(Kind::kFunction, "ln") || part.is(Kind::kFunction, "log");
    });
    return found && !symbols_of(expr).empty();
  };
  if (!has_branches(a) && !has_branches(b)) return true;
  return evaluate(a, point, kLowPrecision, budget_).is_real() && evaluate(b, point, kLowPrecision, budget_).is_real();
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
Verdict Comparison::agreement(const Expr& a, const Expr& b) {
  const Expr difference = difference_of(a, b);
  const int points = symbols_of(difference).empty() && !contains(difference, Kind::kUnit) ? 1 : kPoints;
  int agreeing = 0, tried = points;
  for (int point = 0; point < points; ++point) {
    try {
      if (!both_real(a, b, point)) {
        --tried;
        continue;
      }
      const auto zero = vanishes(difference, point);
      if (zero == false) return {false, "the values differ" + at_point(difference)};
      agreeing += zero == true;
    } catch (const Undecided&) {
      // Not every point is in the domain.
    }
  }
  if (agreeing == 0 || 2 * agreeing < tried) return {std::nullopt, "no value is known at enough points"};
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

/// A value with the unit it is measured in; no unit: none was written.
struct Quantity {
  Expr value;
  std::string unit;
};

/// "m", "s^2" of a variable that is a letter some unit has, or of its power.
std::optional<std::string> unit_letter(const Expr& expr) {
  if (expr.is(Kind::kSymbol) && expr.name.size() == 1 && canonical_unit(expr.name)) return expr.name;
  if (!expr.is(Kind::kPower) || !literal(expr.children[1])) return {};
  const auto base = unit_letter(expr.children[0]);
  return base ? std::optional(*base + "^" + literal(expr.children[1])->to_string()) : std::nullopt;
}

/// Beside a value with a unit, "5 L" and "12 m/s" are no products of variables.
Quantity quantity_of(const Expr& expr) {
  if (expr.is(Kind::kUnit)) return {expr.children[0], expr.name};
  if (!expr.is(Kind::kProduct) || !literal(expr.children[0])) return {expr, ""};
  std::string unit;
  for (size_t i = 1; i < expr.children.size(); ++i) {
    const Expr& factor = expr.children[i];
    const bool below = factor.is(Kind::kQuotient) && literal(factor.children[0]) == Rational(1);
    const auto name = unit_letter(below ? factor.children[1] : factor);
    if (!name) return {expr, ""};
    unit += (below ? "/" : unit.empty() ? "" : " ") + *name;
  }
  return {expr.children[0], unit};
}

bool is_half_of_day(const std::string& unit) { return unit == "am" || unit == "pm"; }

}  // namespace

/// Whether the units, which both were written, name the same.
bool Comparison::same_units(const std::string& a, const std::string& b) const {
  if (a == b) return true;
  if (is_half_of_day(a) || is_half_of_day(b) || (a.starts_with("base ") && b.starts_with("base ")) ||
      (a.starts_with("mod ") && b.starts_with("mod ")))
    return false;
  if (rules_.units == Rules::Units::kIgnored) return true;
  const auto x = canonical_unit(a), y = canonical_unit(b);
  if (x && y) {
    if (*x == *y) return true;
    // "20 degrees" is short for either scale.
    const bool temperature = *x == "celsius" || *y == "celsius" || *x == "fahrenheit" || *y == "fahrenheit";
    return rules_.units == Rules::Units::kMayBeMissing && temperature && (*x == "degree" || *y == "degree");
  }
  return same_thing(a, b) || (rules_.units == Rules::Units::kMayBeMissing && is_part_of_other(a, b));
}

Verdict Comparison::with_units(const Expr& a, const Expr& b) {
  const auto is_percent = [](const Expr& expr) { return expr.is(Kind::kUnit, "%"); };
  if (is_percent(a) != is_percent(b)) {
    const Expr& percent = is_percent(a) ? a : b;
    const Expr& other = is_percent(a) ? b : a;
    Verdict share = other.is(Kind::kUnit) ? Verdict{false, "one is a percentage"} : scalars(percent, other);
    if (share.equal == true || !rules_.percent_is_number) return share;
    return scalars(percent.children[0], other.is(Kind::kUnit) ? other.children[0] : other);
  }
  const Quantity x = quantity_of(a), y = quantity_of(b);
  const std::string& written = x.unit.empty() ? y.unit : x.unit;
  if (x.unit.empty() || y.unit.empty()) {
    // 180° is also pi, $3 + $5 also $8, whatever the rules say of units.
    const bool inside = written == "°" || contains(x.unit.empty() ? a : b, Kind::kUnit);
    if (inside && formulas(a, b).equal == true) return {true, "the values with their units are the same"};
    // A sign of currency is a way to write a number; a word is not.
    if (rules_.units == Rules::Units::kMustAgree && !is_currency_sign(written))
      return {false, fmt::format("only one of them has the unit \"{}\"", excerpt(written))};
  } else if (!same_units(x.unit, y.unit)) {
    return {false, fmt::format("the units are \"{}\" and \"{}\"", excerpt(x.unit), excerpt(y.unit))};
  }
  const bool times =
      (is_half_of_day(x.unit) || is_half_of_day(y.unit)) && x.value.is(Kind::kRatio) && y.value.is(Kind::kRatio);
  return times ? in_order(x.value.children, y.value.children) : compare_prepared(x.value, y.value);
}

}  // namespace agro
