#include "reward/math/prepare.h"

#include <algorithm>
#include <set>
#include <string>

namespace agro {
namespace {

bool is_differential(const Expr& expr) {
  return expr.is(Kind::kProduct) && expr.children.size() == 2 && expr.children[0].is(Kind::kSymbol, "d") &&
         expr.children[1].is(Kind::kSymbol);
}

bool is_name(const Expr& expr) {
  switch (expr.kind) {
    case Kind::kSymbol:
    case Kind::kText:
      return true;
    case Kind::kFunction:
      // |z| is a value that is asked for, |x| = 3 an equation for x.
      if (expr.name == "abs")
        return is_name(expr.children[0]) && expr.children[0].name != "x" && expr.children[0].name != "y";
      return expr.name[0] == '.' || expr.name == "sum" || expr.name == "prod" || expr.name == "int" ||
             expr.name == "lim";
    case Kind::kQuotient:  // dy/dx
      return is_differential(expr.children[0]) && is_differential(expr.children[1]);
    case Kind::kTuple:
    case Kind::kRatio:
      return std::all_of(expr.children.begin(), expr.children.end(), is_name);
    case Kind::kProduct:  // "AB", "P(A)"
      return std::all_of(expr.children.begin(), expr.children.end(), [](const Expr& child) {
        return child.is(Kind::kSymbol) && child.name[0] >= 'A' && child.name[0] <= 'Z';
      });
    default:
      return false;
  }
}

bool only(const Expr& relation, char kind) { return relation.name.find_first_not_of(kind) == std::string::npos; }

/// x = 1/3 ≈ 0.33 is x = 1/3; x = 5 + 6 = 11 is x = 11.
Expr shortened(const Expr& relation) {
  Expr exact = relation;
  const size_t approximate = relation.name.find('~');
  if (approximate != std::string::npos) {
    exact.name.resize(approximate);
    exact.children.resize(approximate + 1);
    // "x ≈ 0.33" has nothing else to offer.
    if (approximate == 0) {
      if (!is_name(relation.children[0])) return relation.children[0];
      exact = relation;
      exact.name.assign(1, '=');
      exact.children.resize(2);
      return exact;
    }
  }
  if (only(exact, '=') && exact.children.size() > 2) {
    Expr last = exact.children.back();
    if (!is_name(exact.children[0])) return last;
    exact.children.resize(1);
    exact.children.push_back(std::move(last));
    exact.name = "=";
  }
  return exact;
}

/// What ± made two of becomes two items of the list it stands in.
void append(std::vector<Expr>& items, const Expr& written, Expr item) {
  if (item.is(Kind::kSet) && !written.is(Kind::kSet)) {
    for (Expr& one : item.children) items.push_back(std::move(one));
  } else {
    items.push_back(std::move(item));
  }
}

}  // namespace

bool is_assignment(const Expr& expr) {
  if (!expr.is(Kind::kRelation, "=") || expr.children.size() != 2 || !is_name(expr.children[0])) return false;
  const Expr& name = expr.children[0];
  if (!name.is(Kind::kSymbol)) return true;
  const std::vector<std::string> used = symbols_of(expr.children[1]);
  return !std::binary_search(used.begin(), used.end(), name.name);
}

Expr prepare(const Expr& expr, const Rules& rules) {
  switch (expr.kind) {
    case Kind::kRelation: {
      Expr result = shortened(expr);
      if (!result.is(Kind::kRelation)) return prepare(result, rules);
      // 1 + 1 = 2 states a value, 1 = 1 does not.
      if (rules.other_forms && result.name == "=" && symbols_of(result).empty() && !is_name(result.children[0]) &&
          to_string(result.children[0]) != to_string(result.children[1]))
        return prepare(result.children[1], rules);
      std::vector<Expr> both = expand_plus_minus(result);
      return both.size() == 1 ? std::move(both[0]) : node(Kind::kSet, std::move(both));
    }
    case Kind::kList:
    case Kind::kSet: {
      std::vector<Expr> items;
      for (const Expr& child : expr.children) append(items, child, prepare(child, rules));
      return node(expr.kind, std::move(items), expr.name);
    }
    case Kind::kTuple: {
      Expr result{expr.kind, expr.name};
      for (const Expr& child : expr.children) result.children.push_back(prepare(child, rules));
      return result;
    }
    case Kind::kMatrix:
    case Kind::kUnion:
    case Kind::kIntersection:
    case Kind::kDifference:
      return expr;
    default: {
      std::vector<Expr> both = expand_plus_minus(expr);
      return both.size() == 1 ? std::move(both[0]) : node(Kind::kSet, std::move(both));
    }
  }
}

std::vector<Expr> assignments_of(const Expr& expr) {
  std::vector<Expr> all;
  if (expr.is(Kind::kList) || expr.is(Kind::kSet)) {
    all = expr.children;
  } else if (expr.is(Kind::kRelation, "=") && expr.children.size() == 2) {
    const Expr &names = expr.children[0], &values = expr.children[1];
    if (!names.is(Kind::kTuple) || !values.is(Kind::kTuple) || names.children.size() != values.children.size())
      return {};
    for (size_t i = 0; i < names.children.size(); ++i)
      all.push_back(node(Kind::kRelation, {names.children[i], values.children[i]}, "="));
  }
  std::set<std::string> names;
  for (const Expr& assignment : all)
    if (!is_assignment(assignment) || !names.insert(to_string(assignment.children[0])).second) return {};
  if (all.size() < 2) return {};
  std::ranges::sort(all, {}, [](const Expr& assignment) { return to_string(assignment.children[0]); });
  return all;
}

Expr without_names(const Expr& expr) {
  if (is_assignment(expr)) return without_names(expr.children[1]);
  if (expr.is(Kind::kRelation, "i")) return expr.children[1];
  if (!expr.is(Kind::kList) && !expr.is(Kind::kSet)) return expr;
  std::vector<Expr> values;
  for (const Expr& child : expr.children) values.push_back(without_names(child));
  const bool named = std::all_of(expr.children.begin(), expr.children.end(), is_assignment);
  size_t period = 1;
  const auto name = [&](size_t i) { return to_string(expr.children[i].children[0]); };
  const auto name_of = [](const Expr& left) { return to_string(left)[0]; };
  while (named && period < values.size() && name(period) != name(0)) ++period;
  if (!named || period < 2 || values.size() % period != 0) return node(expr.kind, std::move(values), expr.name);
  if (period == values.size()) {
    // x = 1, y = 2 is the pair (1, 2); x_1 = 1, x_2 = 2 are two values in no order.
    std::set<char> letters;
    for (const Expr& child : expr.children) letters.insert(name_of(child.children[0]));
    if (letters.size() < values.size()) return node(expr.kind, std::move(values), expr.name);
    return node(Kind::kTuple, std::move(values), "()");
  }
  std::vector<Expr> tuples;
  for (size_t begin = 0; begin < values.size(); begin += period) {
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(begin);
    tuples.push_back(node(Kind::kTuple, std::vector<Expr>(first, first + static_cast<std::ptrdiff_t>(period)), "()"));
  }
  return node(expr.kind, std::move(tuples));
}

}  // namespace agro
