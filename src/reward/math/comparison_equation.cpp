#include <algorithm>

#include "reward/excerpt.h"
#include "reward/math/comparison.h"
#include "reward/math/evaluate.h"
#include "reward/math/univariate.h"

namespace agro {
namespace {

constexpr int kPoints = 8;
constexpr int64_t kPrecision = 384;
constexpr size_t kMostUnknowns = 4;

/// How the solutions of two equations in one unknown compare.
enum class Solutions { kSame, kDifferent, kDifferentComplex, kUnknown };

/// The roots of the numerator at which the denominators do not vanish.
Univariate defined_roots(const Fraction& fraction, Budget& budget) {
  return without_roots_of(square_free(fraction.top, budget), fraction.excluded, budget);
}

/// By the roots that only one of them has.
Solutions compare_roots(const Expr& a, const Expr& b, const std::string& unknown, NormalForms& forms) {
  const auto left = univariate_fraction(a, unknown, forms), right = univariate_fraction(b, unknown, forms);
  if (!left || !right) return Solutions::kUnknown;
  // One holds for every number: x y = 0 where y is 0.
  if (left->top.is_zero() || right->top.is_zero())
    return left->top.is_zero() == right->top.is_zero() ? Solutions::kUnknown : Solutions::kDifferent;
  Budget& budget = forms.algebra().budget();
  const Univariate x = defined_roots(*left, budget), y = defined_roots(*right, budget);
  if (same_roots(x, y)) return Solutions::kSame;
  const int64_t only_one = count_real_roots(without_roots_of(x, y, budget), budget) +
                           count_real_roots(without_roots_of(y, x, budget), budget);
  if (only_one > 0) return Solutions::kDifferent;
  return count_real_roots(x, budget) == 0 ? Solutions::kDifferentComplex : Solutions::kUnknown;
}

/// What `equation` = 0 says of `unknown`, where it is linear in it; `always`: it says so at all values of the others.
struct LinearSolution {
  Expr value;
  bool always = false;
};
std::optional<LinearSolution> linear_solution(const Expr& equation, const std::string& unknown, NormalForms& forms) {
  const Expr at_zero = substitute(equation, unknown, number(Rational(0)));
  const Expr slope = difference_of(substitute(equation, unknown, number(Rational(1))), at_zero);
  const Expr linear = node(Kind::kSum, {node(Kind::kProduct, {slope, node(Kind::kSymbol, {}, unknown)}), at_zero});
  try {
    const Quotient factor = forms.of(slope);
    if (factor.top.empty() || !forms.same(forms.of(equation), forms.of(linear))) return {};
    // Where both vanish, every value would be a solution: x y = 0 is not y = 0.
    const Polynomial rest = forms.of(at_zero).top;
    const bool always = constant_value(factor.top) || (!rest.empty() && constant_value(rest));
    return LinearSolution{node(Kind::kNegative, {node(Kind::kQuotient, {at_zero, slope})}), always};
  } catch (const Undecided&) {
    return {};  // 0 or 1 is not in its domain
  }
}

}  // namespace

/// Equations are the same where one is a multiple of the other, or where both have the same solutions.
Verdict Comparison::equations(const Expr& a, const Expr& b) {
  const Expr x = difference_of(a.children[0], a.children[1]), y = difference_of(b.children[0], b.children[1]);
  std::string problem = "whether the equations say the same";
  try {
    const Quotient left = forms_.of(x), right = forms_.of(y);
    if (left.top.empty() || right.top.empty())
      return {left.top.empty() == right.top.empty(), "one of the equations always holds"};
    // x²/x = 0 is no multiple of x = 0: its normal form has lost a hole.
    const bool whole = !has_denominators(x) && !has_denominators(y);
    if (whole && forms_.constant_ratio(left, right)) return {true, "the equations are multiples of each other"};
    Verdict by_solutions = equal_solutions(x, y);
    if (by_solutions.equal) return by_solutions;
    problem = by_solutions.why;
    if (forms_.constant_ratio(left, right) && symbols_of(node(Kind::kList, {x, y})).size() > 1)
      return {true, "the equations are multiples of each other"};
  } catch (const Undecided& reason) {
    problem = reason.what();
  }
  try {
    const SolutionSet left = solution_set(a, budget_), right = solution_set(b, budget_);
    if (left.solved && right.solved && left.unknown == right.unknown) return same_pieces(left.numbers, right.numbers);
  } catch (const Undecided&) {
    // More than one unknown, or no polynomials.
  }
  if (rules_.agreement_counts && proportional(x, y))
    return {true, "the equations agree to 80 digits at every point tried, which counts as equal"};
  return {std::nullopt, problem};
}

/// "Different" is a solution of one equation that is proved to be none of the other, at fixed values of all unknowns
/// but one; "equal" is proved for one unknown.
Verdict Comparison::equal_solutions(const Expr& a, const Expr& b) {
  const std::vector<std::string> names = symbols_of(node(Kind::kList, {a, b}));
  Verdict open{std::nullopt, "whether the equations have the same solutions"};
  if (names.empty() || names.size() > kMostUnknowns) return open;
  if (names.size() == 1) {
    const Solutions solutions = compare_roots(a, b, names[0], forms_);
    if (solutions == Solutions::kSame) return {true, "the equations have the same solutions"};
    if (solutions != Solutions::kUnknown) return {false, "the equations have different solutions"};
  }
  for (const std::string& name : names) {
    const auto x = linear_solution(a, name, forms_), y = linear_solution(b, name, forms_);
    if (x && y && x->always && y->always && forms_.same(forms_.of(x->value), forms_.of(y->value)))
      return {true, "the equations have the same solutions"};
    for (const auto& [solution, other] : {std::pair(&x, &b), std::pair(&y, &a)}) {
      if (!*solution) continue;
      const Expr& value = (*solution)->value;
      if (evaluate(value, 0, 128, budget_).is_real() &&
          evaluate(substitute(*other, name, value), 0, 128, budget_).is_nonzero())
        return {false, "the equations have different solutions"};
    }
  }
  if (names.size() == 1) return open;
  bool only_complex = false;
  for (const std::string& name : names) {
    for (const int64_t start : {0, 1, -2}) {
      Expr x = a, y = b;
      int64_t value = start;
      for (const std::string& other : names) {
        if (other == name) continue;
        x = substitute(x, other, number(Rational(value)));
        y = substitute(y, other, number(Rational(value)));
        value += 2;
      }
      const Solutions solutions = compare_roots(x, y, name, forms_);
      if (solutions == Solutions::kDifferent) return {false, "the equations have different solutions"};
      only_complex = only_complex || solutions == Solutions::kDifferentComplex;
    }
  }
  if (only_complex)
    return {false, "the equations have different complex solutions and no real ones at the values tried"};
  return open;
}

/// Whether one is a multiple of the other at a few points, to 80 digits: there x(p) y(q) = x(q) y(p).
bool Comparison::proportional(const Expr& x, const Expr& y) {
  if (symbols_of(x).empty()) return false;
  try {
    const auto at = [&](const Expr& side, int point) { return evaluate(side, point, kPrecision, budget_); };
    const Ball x0 = at(x, 0), y0 = at(y, 0);
    for (int point = 1; point < kPoints; ++point) {
      // Points beyond 3 may be negative: |x| = 3 is not x = 3.
      Ball left = at(y, point), right = at(x, point);
      acb_mul(left.raw(), left.raw(), x0.raw(), kPrecision);
      acb_mul(right.raw(), right.raw(), y0.raw(), kPrecision);
      acb_sub(left.raw(), left.raw(), right.raw(), kPrecision);
      if (!left.is_below(kPrecision - 100)) return false;
    }
    return true;
  } catch (const Undecided&) {
    return false;
  }
}

/// Whether the values are all the solutions of an equation in one unknown.
Verdict Comparison::solutions(const Expr& equation, const std::vector<Expr>& values) {
  const std::vector<std::string> unknowns = symbols_of(equation);
  if (unknowns.size() != 1) throw Undecided("an equation of more than one unknown");
  const Expr sides = difference_of(equation.children[0], equation.children[1]);
  const Quotient zero = forms_.of(number(Rational(0)));
  bool open = false, real = true;
  for (const Expr& value : values) {
    const Expr rest = substitute(sides, unknowns[0], value);
    real = real && evaluate(value, 0, 128, budget_).is_real();
    if (forms_.same(forms_.of(rest), zero)) continue;
    if (evaluate(rest, 0, 128, budget_).is_nonzero())
      return {false, excerpt(to_string(value)) + " does not solve the equation"};
    open = true;
  }
  const auto fraction = univariate_fraction(sides, unknowns[0], forms_);
  if (open || !fraction || fraction->top.is_zero()) return {std::nullopt, "whether these are all solutions"};
  auto distinct = static_cast<int64_t>(values.size());
  for (size_t i = 0; i < values.size(); ++i)
    for (size_t j = 0; j < i; ++j) {
      const Verdict same = compare_prepared(values[i], values[j]);
      if (!same.equal) return {std::nullopt, "whether these are all solutions"};
      if (*same.equal) {
        --distinct;
        break;
      }
    }
  const Univariate roots = defined_roots(*fraction, budget_);
  if (distinct == roots.degree() || (real && distinct == count_real_roots(roots, budget_)))
    return {true, "the values are all the solutions of the equation"};
  if (real && distinct < count_real_roots(roots, budget_)) return {false, "the equation has other solutions too"};
  return {std::nullopt, "whether these are all solutions"};
}

}  // namespace agro
