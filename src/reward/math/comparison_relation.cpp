#include <algorithm>

#include "reward/excerpt.h"
#include "reward/math/comparison.h"
#include "reward/math/evaluate.h"
#include "reward/math/number_set.h"
#include "reward/math/prepare.h"

namespace agro {
namespace {

bool is_order(const Expr& relation) { return relation.name.find_first_not_of("<>lg") == std::string::npos; }

/// Whether every link of a chain holds, where its sides are numbers. Throws Undecided where that cannot be told.
bool holds(const Expr& relation, NormalForms& forms, Budget& budget) {
  bool all = true;
  for (size_t i = 0; i + 1 < relation.children.size(); ++i) {
    const Expr difference = difference_of(relation.children[i], relation.children[i + 1]);
    const int sign = forms.of(difference).top.empty() ? 0 : sign_of(difference, budget);
    const char link = relation.name[i];
    const bool known = std::string_view("=n<>lg").find(link) != std::string_view::npos;
    if (!known) throw Undecided("a relation without truth");
    const bool one = link == '='   ? sign == 0
                     : link == 'n' ? sign != 0
                     : link == '<' ? sign < 0
                     : link == '>' ? sign > 0
                     : link == 'l' ? sign <= 0
                                   : sign >= 0;
    all = all && one;
  }
  return all;
}

}  // namespace

Verdict Comparison::relations(const Expr& a, const Expr& b) {
  if (is_assignment(a) && is_assignment(b)) {
    const Expr &left = a.children[0], &right = b.children[0];
    const bool same_name = to_string(left) == to_string(right);
    // Not one another's name: x and y, f(1) and f(2), f and f'.
    const auto is_function = [](const Expr& name) { return name.is(Kind::kFunction) && name.name[0] == '.'; };
    const bool variables = (left.is(Kind::kSymbol) && right.is(Kind::kSymbol)) ||
                           (is_function(left) && is_function(right) &&
                            (left.name.size() != right.name.size() ||
                             !std::ranges::equal(left.children, right.children, {}, to_string, to_string)));
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

/// Chains of order relations, link by link: a < b is 2b > 2a.
Verdict Comparison::inequalities(const Expr& a, const Expr& b) {
  const auto states_order = [](const Expr& relation) {
    return relation.name.find_first_not_of("=n<>lg") == std::string::npos;
  };
  if (!states_order(a) || !states_order(b)) {
    if (a.name != b.name || a.children.size() != b.children.size()) return {false, "the relations differ"};
    return in_order(a.children, b.children);
  }
  if (is_order(a) && is_order(b) && are_multiples(a, b)) return {true, "the inequalities are multiples of each other"};
  if (auto apart = told_apart(a, b)) return *apart;
  return {std::nullopt, "whether the inequalities say the same"};
}

bool Comparison::are_multiples(const Expr& a, const Expr& b) {
  if (has_roots(a) != has_roots(b)) return false;  // only one of them is for no negative numbers
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
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    if (left[i].strict != right[i].strict) return false;
    const Quotient x = forms_.of(left[i].below_zero), y = forms_.of(right[i].below_zero);
    if (x.top.empty() || y.top.empty()) return false;
    const auto ratio = forms_.constant_ratio(x, y);
    if (ratio && ratio->sign() > 0) continue;
    if (ratio || formulas(left[i].below_zero, right[i].below_zero).equal != true) return false;
  }
  return true;
}

/// A point at which one of two relations holds and the other does not.
std::optional<Verdict> Comparison::told_apart(const Expr& a, const Expr& b) {
  std::vector<std::string> names = symbols_of(node(Kind::kList, {a, b}));
  constexpr size_t kMostUnknowns = 3;
  if (names.empty() || names.size() > kMostUnknowns) return {};
  // Small numbers first; with one unknown also those the relations name, and far ones.
  std::vector<Rational> values{Rational(0), Rational(1), Rational(-1), Rational(2), Rational(-2)};
  if (names.size() < kMostUnknowns)
    values.insert(values.end(), {Rational(3), Rational(-3), Rational(10), Rational(-10)});
  if (names.size() == 1) {
    for (const Expr* relation : {&a, &b})
      for_each_node(*relation, [&](const Expr& part) {
        if (part.is(Kind::kNumber) && values.size() < 24) values.push_back(part.value);
      });
    for (const int64_t half : {1, -1, 3, -3, 200, -200}) values.emplace_back(Rational(half), Rational(2));
  }
  int64_t nodes = 0;
  for (const Expr* relation : {&a, &b}) for_each_node(*relation, [&](const Expr&) { ++nodes; });
  size_t points = 1;
  for (size_t i = 0; i < names.size(); ++i) points *= values.size();
  for (size_t point = 0; point < points; ++point) {
    budget_.spend(nodes * static_cast<int64_t>(names.size()) * 4);
    Expr x = a, y = b;
    std::string where;
    size_t rest = point;
    for (const std::string& name : names) {
      const Rational& value = values[rest % values.size()];
      rest /= values.size();
      x = substitute(x, name, number(value));
      y = substitute(y, name, number(value));
      where += (where.empty() ? "" : ", ") + name + " = " + value.to_string();
    }
    try {
      if (holds(x, forms_, budget_) != holds(y, forms_, budget_))
        return Verdict{false, "only one of them holds for " + excerpt(where)};
    } catch (const Undecided&) {
      // Not every point is in the domain; a budget that ran out ends the search too.
      if (budget_.is_empty()) return {};
    }
  }
  return {};
}

Verdict Comparison::number_sets(const Expr& a, const Expr& b) {
  const SolutionSet first = solution_set(a, budget_), second = solution_set(b, budget_);
  // x² > 4 says nothing of the set of x, unless the other side is a relation of x² too.
  const bool same_unknown = a.is(Kind::kRelation) && b.is(Kind::kRelation) && first.unknown == second.unknown;
  if (!same_unknown && !(first.solved && second.solved)) throw Undecided("a relation that cannot be solved");
  const NumberSet &left = first.numbers, &right = second.numbers;
  Verdict verdict = same_pieces(left, right);
  // Of an unknown that is a formula, two sets may differ only where it has no values: sin x > 2, sin x > 3.
  if (verdict.equal == false && !(first.solved && second.solved))
    return told_apart(a, b).value_or(Verdict{std::nullopt, "whether the relations say the same"});
  return verdict;
}

Verdict Comparison::same_pieces(const NumberSet& left, const NumberSet& right) {
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
