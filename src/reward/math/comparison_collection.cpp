#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "reward/math/comparison.h"
#include "reward/math/evaluate.h"

namespace agro {
namespace {

/// All pairs of the elements of two sets are compared up to this many.
constexpr size_t kPairwise = 32;

bool is_interval(const Expr& expr) { return expr.is(Kind::kTuple) && expr.children.size() == 2 && expr.name != "()"; }

/// A row or a column as its elements.
std::vector<Expr> elements_of(const Expr& expr) {
  if (!expr.is(Kind::kMatrix)) return expr.children;
  if (expr.children.size() == 1) return expr.children[0].children;
  std::vector<Expr> elements;
  for (const Expr& row : expr.children) {
    if (row.children.size() != 1) return {};
    elements.push_back(row.children[0]);
  }
  return elements;
}

}  // namespace

Verdict Comparison::collections(const Expr& a, const Expr& b) {
  if (a.is(Kind::kMatrix) && b.is(Kind::kMatrix)) return matrices(a, b);
  const auto is_collection = [](const Expr& expr) {
    return expr.is(Kind::kTuple) || expr.is(Kind::kList) || expr.is(Kind::kSet) || expr.is(Kind::kMatrix);
  };
  if (!is_collection(a) || !is_collection(b)) {
    const Expr& many = is_collection(a) ? a : b;
    const Expr& one = is_collection(a) ? b : a;
    const bool single = many.is(Kind::kSet) || many.is(Kind::kList);
    if (rules_.other_forms && single && many.children.size() == 1) return compare_prepared(many.children[0], one);
    if (rules_.other_forms && single) {
      Verdict all_same = without_order(many.children, {one});  // {1, 2/2} is 1
      if (all_same.equal == true) return all_same;
    }
    return {false, "one is a single value, the other is not"};
  }
  if (is_interval(a) || is_interval(b)) {
    if (a.kind != b.kind) return {false, "one is an interval, the other is not"};
    const bool same_brackets = a.name == b.name;
    if (!same_brackets && a.children.size() == 2 && b.children.size() == 2)
      return {false, fmt::format("the brackets {} and {} differ", a.name, b.name)};
    return in_order(a.children, b.children);
  }
  const bool same_kind = a.kind == b.kind;
  if (a.is(Kind::kTuple) && same_kind) return in_order(a.children, b.children);
  const auto unordered = [](const Expr& expr) { return expr.is(Kind::kSet) || expr.is(Kind::kList); };
  if (unordered(a) && unordered(b)) {
    const bool lists = a.is(Kind::kList) && b.is(Kind::kList);
    if (lists && rules_.ordered_lists) return in_order(a.children, b.children);
    Verdict verdict = without_order(a.children, b.children);
    // 1, 1, 2 may be short for 1, 2, but is not 1, 2, 2.
    if (lists && verdict.equal == true && a.children.size() == b.children.size() &&
        !same_counts(a.children, b.children))
      return {false, "an element is in one of them more often"};
    return verdict;
  }
  if (!rules_.other_forms) return {false, "one is a tuple, the other is not"};
  // A set has no order that a tuple could keep; Math-Verify takes the set's elements in ascending order.
  if (a.is(Kind::kSet) || b.is(Kind::kSet)) {
    if (!rules_.sets_are_tuples) return {false, "one is a set, the other is not"};
    return without_order(elements_of(a), elements_of(b));
  }
  return in_order(elements_of(a), elements_of(b));
}

Verdict Comparison::in_order(const std::vector<Expr>& a, const std::vector<Expr>& b) {
  if (a.size() != b.size()) return {false, fmt::format("{} elements, not {}", b.size(), a.size())};
  Verdict open;
  bool undecided = false;
  for (size_t i = 0; i < a.size(); ++i) {
    Verdict one = compare_elements(a[i], b[i]);
    if (one.equal == false) return {false, fmt::format("element {}: {}", i + 1, one.why)};
    if (!one.equal && !undecided) {
      undecided = true;
      open = {std::nullopt, fmt::format("element {}: {}", i + 1, one.why)};
    }
  }
  return undecided ? open : Verdict{true, "the elements are the same"};
}

double Comparison::sort_key(const Expr& expr) {
  if (const auto value = literal(expr)) return value->to_double();
  if (expr.is(Kind::kTuple) || expr.is(Kind::kSet) || expr.is(Kind::kList)) {
    double key = 0, weight = 1;
    for (const Expr& child : expr.children) {
      key += weight * sort_key(child);
      weight = expr.is(Kind::kTuple) ? weight * 0.6180339887 : 1;
    }
    return key;
  }
  try {
    const double middle = evaluate(expr, 0, 64, budget_).middle();
    return std::isfinite(middle) ? middle : 0;
  } catch (const Undecided&) {
    return 0;
  }
}

/// Of two lists that are equal as sets.
bool Comparison::same_counts(const std::vector<Expr>& a, const std::vector<Expr>& b) {
  if (a.size() > kPairwise) return true;
  return std::ranges::all_of(a, [&](const Expr& item) {
    const auto is_equal = [&](const Expr& other) { return compare_elements(item, other).equal == true; };
    return std::ranges::count_if(a, is_equal) == std::ranges::count_if(b, is_equal);
  });
}

/// As sets: what is there twice counts once.
Verdict Comparison::without_order(const std::vector<Expr>& a, const std::vector<Expr>& b) {
  const auto sorted = [&](const std::vector<Expr>& items) {
    std::vector<std::pair<double, const Expr*>> keyed;
    keyed.reserve(items.size());
    for (const Expr& item : items) keyed.emplace_back(sort_key(item), &item);
    std::stable_sort(keyed.begin(), keyed.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
    return keyed;
  };
  const auto left = sorted(a), right = sorted(b);
  if (left.size() == right.size()) {
    bool all = true;
    for (size_t i = 0; all && i < left.size(); ++i)
      all = compare_elements(*left[i].second, *right[i].second).equal == true;
    if (all) return {true, "the elements are the same"};
  }
  if (left.size() > kPairwise || right.size() > kPairwise) {
    if (left.size() != right.size() && std::min(left.size(), right.size()) == 1)
      return {false, "the numbers of elements differ"};
    return {std::nullopt, "the sets are too large to compare element by element"};
  }
  Verdict open;
  bool undecided = false;
  // Every element of each must be in the other.
  for (const auto& [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    for (const Expr& item : *from) {
      bool found = false, possible = false;
      for (const Expr& other : *to) {
        const Verdict one = compare_elements(item, other);
        if (one.equal == true) {
          found = true;
          break;
        }
        possible = possible || !one.equal;
      }
      if (found) continue;
      const std::string name = to_string(item).substr(0, 40);
      if (!possible) return {false, fmt::format("{} is in one of them only", name)};
      if (!undecided) open = {std::nullopt, fmt::format("whether {} is in both", name)};
      undecided = true;
    }
  }
  return undecided ? open : Verdict{true, "the elements are the same"};
}

Verdict Comparison::matrices(const Expr& a, const Expr& b) {
  if (a.children.size() != b.children.size()) return {false, "the matrices have different shapes"};
  std::vector<Expr> left, right;
  for (size_t row = 0; row < a.children.size(); ++row) {
    if (a.children[row].children.size() != b.children[row].children.size())
      return {false, "the matrices have different shapes"};
    left.insert(left.end(), a.children[row].children.begin(), a.children[row].children.end());
    right.insert(right.end(), b.children[row].children.begin(), b.children[row].children.end());
  }
  return in_order(left, right);
}

}  // namespace agro
