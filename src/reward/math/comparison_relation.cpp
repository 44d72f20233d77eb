#include <algorithm>

#include "reward/excerpt.h"
#include "reward/math/comparison.h"
#include "reward/math/evaluate.h"
#include "reward/math/number_set.h"
#include "reward/math/prepare.h"

namespace agro {
namespace {

constexpr int kPoints = 4;
constexpr int64_t kPrecision = 384;

bool is_order(const Expr& relation) { return relation.name.find_first_not_of("<>lg") == std::string::npos; }

}  // namespace

Verdict Comparison::relations(const Expr& a, const Expr& b) {
  if (is_assignment(a) && is_assignment(b)) {
    const Expr &left = a.children[0], &right = b.children[0];
    const bool same_name = to_string(left) == to_string(right);
    const bool variables = left.is(Kind::kSymbol) && right.is(Kind::kSymbol);
    if (same_name || (rules_.other_forms && !variables)) return compare_prepared(a.children[1], b.children[1]);
  }
  if (a.name == "=" && b.name == "=") return equations(a, b);
  if (a.name == "i" && b.name == "i" && to_string(a.children[0]) == to_string(b.children[0]))
    return compare_prepared(a.children[1], b.children[1]);
  try {
    const SolutionSet x = solution_set(a, budget_), y = solution_set(b, budget_);
    if (x.unknown == y.unknown) return number_sets(a, b);
    const auto single = [](const std::string& name) { return name.size() == 1; };
    if (single(x.unknown) && single(y.unknown)) return {false, "the unknowns differ"};
  } catch (const Undecided&) {
    // More than one unknown: term by term.
  }
  return inequalities(a, b);
}

/// Equations are the same where one is a multiple of the other.
Verdict Comparison::equations(const Expr& a, const Expr& b) {
  const Expr x = difference_of(a.children[0], a.children[1]), y = difference_of(b.children[0], b.children[1]);
  std::string problem = "whether the equations say the same";
  try {
    const Quotient left = forms_.of(x), right = forms_.of(y);
    if (left.top.empty() || right.top.empty())
      return {left.top.empty() == right.top.empty(), "one of the equations always holds"};
    if (forms_.constant_ratio(left, right)) return {true, "the equations are multiples of each other"};
  } catch (const Undecided& reason) {
    problem = reason.what();
  }
  // Where one is a multiple of the other, x(p) y(q) = x(q) y(p) for any two points.
  try {
    const auto at = [&](const Expr& side, int point) { return evaluate(side, point, kPrecision, budget_); };
    const Ball x0 = at(x, 0), y0 = at(y, 0);
    int agreeing = 0;
    for (int point = 1; point < kPoints; ++point) {
      Ball left = at(y, point), right = at(x, point);
      acb_mul(left.raw(), left.raw(), x0.raw(), kPrecision);
      acb_mul(right.raw(), right.raw(), y0.raw(), kPrecision);
      acb_sub(left.raw(), left.raw(), right.raw(), kPrecision);
      if (left.is_nonzero()) return {false, "the equations are no multiples of each other"};
      agreeing += left.is_below(kPrecision - 100);
    }
    if (rules_.agreement_counts && agreeing == kPoints - 1 && !symbols_of(x).empty())
      return {true, "the equations agree to 80 digits at every point tried, which counts as equal"};
  } catch (const Undecided& reason) {
    problem = reason.what();
  }
  return {std::nullopt, problem};
}

/// Whether the values are all the solutions of an equation in one unknown: as many as a polynomial's degree allows.
Verdict Comparison::solutions(const Expr& equation, const std::vector<Expr>& values) {
  const std::vector<std::string> unknowns = symbols_of(equation);
  if (unknowns.size() != 1) throw Undecided("an equation of more than one unknown");
  const Expr sides = difference_of(equation.children[0], equation.children[1]);
  const Quotient zero = forms_.of(number(Rational(0)));
  bool open = false;
  for (const Expr& value : values) {
    const Expr rest = substitute(sides, unknowns[0], value);
    if (forms_.same(forms_.of(rest), zero)) continue;
    if (evaluate(rest, 0, 128, budget_).is_nonzero())
      return {false, excerpt(to_string(value)) + " does not solve the equation"};
    open = true;
  }
  const Polynomial top = forms_.of(sides).top;
  const int unknown = forms_.algebra().generator({.key = unknowns[0]});
  int64_t degree = 0;
  for (const Term& term : top) {
    for (const Factor& factor : term.monomial) {
      if (factor.generator != unknown) continue;
      if (!factor.exponent.is_integer() || factor.exponent.top < 0) throw Undecided("an equation of roots");
      degree = std::max(degree, factor.exponent.top);
    }
  }
  for (size_t i = 0; i < values.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (compare_prepared(values[i], values[j]).equal != false) --degree;  // never counted as complete then
  if (open || degree != static_cast<int64_t>(values.size())) return {std::nullopt, "whether these are all solutions"};
  return {true, "the values are all the solutions of the equation"};
}

/// Chains of order relations, link by link: a < b is 2b > 2a.
Verdict Comparison::inequalities(const Expr& a, const Expr& b) {
  if (!is_order(a) || !is_order(b)) {
    if (a.name != b.name || a.children.size() != b.children.size()) return {false, "the relations differ"};
    return in_order(a.children, b.children);
  }
  struct Link {
    Expr below_zero;
    bool strict;
  };
  const auto links_of = [](const Expr& chain) {
    std::vector<Link> links;
    for (size_t i = 0; i + 1 < chain.children.size(); ++i) {
      const char relation = chain.name[i];
      const bool less = relation == '<' || relation == 'l';
      const Expr &low = chain.children[less ? i : i + 1], &high = chain.children[less ? i + 1 : i];
      links.push_back({difference_of(low, high), relation == '<' || relation == '>'});
    }
    if (chain.name[0] == '>' || chain.name[0] == 'g') std::reverse(links.begin(), links.end());
    return links;
  };
  const std::vector<Link> left = links_of(a), right = links_of(b);
  if (left.size() != right.size()) return {false, "the chains have different lengths"};
  for (size_t i = 0; i < left.size(); ++i) {
    if (left[i].strict != right[i].strict) return {false, "only one of them allows equality"};
    const Quotient x = forms_.of(left[i].below_zero), y = forms_.of(right[i].below_zero);
    if (x.top.empty() || y.top.empty()) return {std::nullopt, "an inequality between equal sides"};
    const auto ratio = forms_.constant_ratio(x, y);
    if (ratio && ratio->sign() > 0) continue;
    if (ratio) return {false, "the inequalities point in opposite directions"};
    const Verdict same = formulas(left[i].below_zero, right[i].below_zero);
    if (same.equal == true) continue;
    // Proportional only if x(p) y(q) = x(q) y(p).
    const auto at = [&](const Expr& side, int point) { return evaluate(side, point, kPrecision, budget_); };
    Ball first = at(left[i].below_zero, 0), second = at(left[i].below_zero, 1);
    const Ball third = at(right[i].below_zero, 1), fourth = at(right[i].below_zero, 0);
    acb_mul(first.raw(), first.raw(), third.raw(), kPrecision);
    acb_mul(second.raw(), second.raw(), fourth.raw(), kPrecision);
    acb_sub(first.raw(), first.raw(), second.raw(), kPrecision);
    if (first.is_nonzero()) return {false, "the inequalities are no multiples of each other"};
    return {std::nullopt, "whether the inequalities say the same"};
  }
  return {true, "the inequalities are multiples of each other"};
}

Verdict Comparison::number_sets(const Expr& a, const Expr& b) {
  const SolutionSet first = solution_set(a, budget_), second = solution_set(b, budget_);
  // x² > 4 says nothing of the set of x, unless the other side is a relation of x² too.
  const bool same_unknown = a.is(Kind::kRelation) && b.is(Kind::kRelation) && first.unknown == second.unknown;
  if (!same_unknown && !(first.solved && second.solved)) throw Undecided("a relation that cannot be solved");
  const NumberSet &left = first.numbers, &right = second.numbers;
  const auto brackets = [](const Piece& piece) { return 2 * (piece.low_closed ? 1 : 0) + (piece.high_closed ? 1 : 0); };
  if (left.size() != right.size()) return {false, "the sets have different pieces"};
  std::vector<Expr> x, y;
  for (size_t i = 0; i < left.size(); ++i) {
    if (left[i].low.has_value() != right[i].low.has_value() || left[i].high.has_value() != right[i].high.has_value())
      return {false, "only one of the sets has no end"};
    if (brackets(left[i]) != brackets(right[i])) return {false, "only one of the sets contains its end"};
    for (const auto& [from, to] : {std::pair(&left[i], &x), std::pair(&right[i], &y)}) {
      if (from->low) to->push_back(*from->low);
      if (from->high) to->push_back(*from->high);
    }
  }
  Verdict ends = in_order(x, y);
  if (ends.equal == true) ends.why = "the sets of numbers are the same";
  return ends;
}

}  // namespace agro
