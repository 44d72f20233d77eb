#pragma once
// Whether two answers are the same under the rules of a policy. "Equal" comes from a normal form (or, where a rule says
// so, from agreement of many digits), "different" from values that are proved to differ; the rest is not decided.
#include <optional>
#include <vector>

#include "reward/math/ball.h"
#include "reward/math/expr.h"
#include "reward/math/normal_form.h"
#include "reward/math/number_set.h"
#include "reward/math/rules.h"

namespace agro {

class Comparison {
 public:
  Comparison(const Rules& rules, Budget& budget) : rules_(rules), budget_(budget), forms_(budget) {}

  /// Symmetric in its arguments. A verdict without value says in `why` what could not be settled.
  Verdict compare(const Expr& a, const Expr& b);

 private:
  Verdict compare_prepared(const Expr& a, const Expr& b);
  /// The same for parts of an answer: one that cannot be decided may still leave the whole decided.
  Verdict compare_elements(const Expr& a, const Expr& b);
  Verdict words(const Expr& a, const Expr& b);
  Verdict ratios(const Expr& a, const Expr& b);

  // comparison_scalar.cpp: numbers and formulas
  Verdict scalars(const Expr& a, const Expr& b);
  Verdict formulas(const Expr& a, const Expr& b);
  bool within_tolerance(const Expr& a, const Expr& b);
  bool rounds_to(const Expr& decimal, const Expr& exact);
  Verdict agreement(const Expr& a, const Expr& b);
  bool both_real(const Expr& a, const Expr& b, int point);
  /// Whether the value of `expr` at a point is proved to be no zero (false), or below 10^-100 (true).
  std::optional<bool> vanishes(const Expr& expr, int point);
  Verdict with_units(const Expr& a, const Expr& b);
  bool same_units(const std::string& a, const std::string& b) const;

  // comparison_collection.cpp: tuples, lists, sets, matrices
  Verdict collections(const Expr& a, const Expr& b);
  Verdict in_order(const std::vector<Expr>& a, const std::vector<Expr>& b);
  Verdict without_order(const std::vector<Expr>& a, const std::vector<Expr>& b);
  bool same_counts(const std::vector<Expr>& a, const std::vector<Expr>& b);
  Verdict matrices(const Expr& a, const Expr& b);
  /// A number by which equal elements sort alike.
  double sort_key(const Expr& expr);

  // comparison_relation.cpp: inequalities, sets of numbers
  Verdict relations(const Expr& a, const Expr& b);
  Verdict inequalities(const Expr& a, const Expr& b);
  /// Chains of order relations, link by link: a < b is 2b > 2a.
  bool are_multiples(const Expr& a, const Expr& b);
  std::optional<Verdict> told_apart(const Expr& a, const Expr& b);
  Verdict number_sets(const Expr& a, const Expr& b);
  Verdict same_pieces(const NumberSet& left, const NumberSet& right);

  // comparison_equation.cpp
  Verdict equations(const Expr& a, const Expr& b);
  Verdict equal_solutions(const Expr& a, const Expr& b);
  bool proportional(const Expr& x, const Expr& y);
  Verdict solutions(const Expr& equation, const std::vector<Expr>& values);

  const Rules rules_;
  Budget& budget_;
  NormalForms forms_;
};

}  // namespace agro
