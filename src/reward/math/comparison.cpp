#include "reward/math/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/ascii.h"
#include "reward/excerpt.h"
#include "reward/math/matrix.h"
#include "reward/math/number_set.h"
#include "reward/math/prepare.h"

namespace agro {
namespace {

/// The letters of a word, of one variable or of a product of variables ("Even" in a formula).
std::string letters_of(const Expr& expr) {
  if (expr.is(Kind::kText) || expr.is(Kind::kSymbol) || expr.is(Kind::kConstant)) return expr.name;
  std::string letters;
  if (expr.is(Kind::kProduct) || expr.is(Kind::kUnit))
    for (const Expr& child : expr.children) {
      const std::string part = letters_of(child);
      if (part.empty()) return {};
      letters += part;
    }
  if (expr.is(Kind::kUnit)) letters += expr.name;
  return letters;
}

std::string normal_words(std::string words, bool same_case) {
  // A dash joins words; in what may be a formula it is a sign.
  const bool formula = words.find_first_of("\\0123456789") != std::string::npos;
  std::erase_if(words, [&](char c) {
    return c == ' ' || c == '.' || c == ',' || (c == '-' && !formula) || c == '"' || c == '\'';
  });
  if (!same_case) std::transform(words.begin(), words.end(), words.begin(), lower);
  return words;
}

/// Lists of values, or of values of one unknown, are the same with "and" and with "or".
bool joint_matters(const Expr& list) {
  std::set<std::string> unknowns;
  for (const Expr& item : list.children) {
    const bool equation = item.is(Kind::kRelation, "=");
    if (equation) unknowns.insert(to_string(item.children[0]));
    if (!equation && !item.is(Kind::kSymbol)) return false;
  }
  return unknowns.size() != 1;
}

bool is_set_name(const std::string& name) {
  return name == "reals" || name == "integers" || name == "naturals" || name == "rationals" || name == "complexes" ||
         name == "empty";
}

/// "x < 1 or x > 3", "x in N and x < 5"
bool is_list_of_orders(const Expr& expr) {
  return expr.is(Kind::kList) && std::ranges::all_of(expr.children, [](const Expr& child) {
           return child.is(Kind::kRelation) && child.name != "=";
         });
}

bool is_collection(const Expr& expr) {
  return expr.is(Kind::kTuple) || expr.is(Kind::kList) || expr.is(Kind::kSet) || expr.is(Kind::kMatrix);
}

}  // namespace

Verdict Comparison::compare(const Expr& a, const Expr& b) {
  const std::string left = to_string(a), right = to_string(b);
  if (left == right) return {true, "the answers are written alike"};
  // One order for both calls, so that also the work until the budget ends is the same.
  const Expr &first = left < right ? a : b, &second = left < right ? b : a;
  return compare_prepared(prepare(fold_matrices(first, budget_), rules_),
                          prepare(fold_matrices(second, budget_), rules_));
}

Verdict Comparison::compare_elements(const Expr& a, const Expr& b) {
  try {
    return compare_prepared(a, b);
  } catch (const Undecided& problem) {
    return {std::nullopt, problem.what()};
  }
}

Verdict Comparison::compare_prepared(const Expr& a, const Expr& b) {
  budget_.spend(4);
  if (to_string(a) == to_string(b)) return {true, "the answers are written alike"};
  const bool a_relation = a.is(Kind::kRelation), b_relation = b.is(Kind::kRelation);
  if (a.is(Kind::kList) && b.is(Kind::kList) && a.name != b.name && !a.name.empty() && !b.name.empty() &&
      joint_matters(a) && joint_matters(b))
    return {false, "one says \"and\", the other \"or\""};
  if (a.is(Kind::kConstant) && b.is(Kind::kConstant) && is_set_name(a.name) && is_set_name(b.name))
    return {false, "these are different sets"};
  // Copies of long lists that name nothing would only take time.
  const bool named = rules_.other_forms && (contains(a, Kind::kRelation) || contains(b, Kind::kRelation));
  if (named) {
    // x = 2, y = 3 is not x = 3, y = 2.
    const std::vector<Expr> left = assignments_of(a), right = assignments_of(b);
    const auto same_name = [](const Expr& x, const Expr& y) {
      return to_string(x.children[0]) == to_string(y.children[0]);
    };
    if (!left.empty() && std::ranges::equal(left, right, same_name)) return in_order(left, right);
    if (!left.empty() && !right.empty()) return {false, "they name different unknowns"};
  }
  if (a_relation && b_relation) return relations(a, b);
  if (named) {
    const Expr a_value = without_names(a), b_value = without_names(b);
    if (to_string(a_value) != to_string(a) || to_string(b_value) != to_string(b))
      return compare_prepared(a_value, b_value);
  }
  if (is_number_set(a) || is_number_set(b)) {
    if (a_relation || b_relation || is_number_set(a) != is_number_set(b)) {
      if (!rules_.other_forms && (a_relation || b_relation || !is_collection(a) || !is_collection(b)))
        return {false, "one is a set, the other is not"};
    }
    return number_sets(a, b);
  }
  if (a_relation || b_relation) {
    const Expr &relation = a_relation ? a : b, &other = a_relation ? b : a;
    if (is_list_of_orders(other)) return number_sets(a, b);
    const bool several = other.is(Kind::kSet) || other.is(Kind::kList);
    if (rules_.other_forms && several && relation.name == "=") {
      try {
        return number_sets(a, b);
      } catch (const Undecided&) {
        return solutions(relation, other.children);  // complex ones, or of higher degree
      }
    }
    if (rules_.other_forms && is_collection(other)) return number_sets(a, b);
    return {false, "one states a relation, the other a value"};
  }
  const bool lists_of_orders = is_list_of_orders(a) && is_list_of_orders(b);
  const bool one_list = rules_.other_forms && (is_list_of_orders(a) || is_list_of_orders(b));
  if (lists_of_orders || (one_list && is_collection(a) && is_collection(b))) {
    try {
      return number_sets(a, b);
    } catch (const Undecided&) {
      // More than one unknown: item by item.
    }
  }
  if (a.is(Kind::kText) || b.is(Kind::kText)) return words(a, b);
  if (is_collection(a) || is_collection(b)) return collections(a, b);
  if (a.is(Kind::kRatio) && b.is(Kind::kRatio)) return ratios(a, b);
  if (a.is(Kind::kUnit) || b.is(Kind::kUnit)) return with_units(a, b);
  return scalars(a, b);
}

Verdict Comparison::words(const Expr& a, const Expr& b) {
  const std::string left = normal_words(letters_of(a), rules_.same_case);
  const std::string right = normal_words(letters_of(b), rules_.same_case);
  if (!left.empty() && left == right) return {true, "the words are the same"};
  return {false, fmt::format("{} and {} are different words", excerpt(to_string(a)), excerpt(to_string(b)))};
}

namespace {

/// "8:30", "10:15"; not "3:5".
bool may_be_time(const Expr& ratio) {
  const auto hour = literal(ratio.children[0]), minute = literal(ratio.children[1]);
  return ratio.children.size() == 2 && hour && minute && *hour < Rational(25) && *minute >= Rational(10) &&
         *minute < Rational(60);
}

}  // namespace

/// 7:32 is 14:64, but 1:00 is not 2:00.
Verdict Comparison::ratios(const Expr& a, const Expr& b) {
  Verdict plain = in_order(a.children, b.children);
  if (plain.equal != false || a.children.size() != b.children.size()) return plain;
  for (size_t i = 1; i < a.children.size(); ++i) {
    const Verdict part = formulas(node(Kind::kQuotient, {a.children[i - 1], a.children[i]}),
                                  node(Kind::kQuotient, {b.children[i - 1], b.children[i]}));
    if (part.equal != true) return part.equal ? part : plain;
  }
  if (may_be_time(a) && may_be_time(b)) return {std::nullopt, "whether these are times or ratios"};
  return {true, "the ratios are the same"};
}

}  // namespace agro
