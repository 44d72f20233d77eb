#pragma once
// Sets of real numbers as sorted pieces: what intervals, unions, differences and inequalities in one unknown say.
#include <optional>
#include <string>
#include <vector>

#include "reward/math/budget.h"
#include "reward/math/expr.h"

namespace agro {

/// From `low` to `high`; no value: without end on that side. A single number has both ends, closed and equal.
struct Piece {
  std::optional<Expr> low, high;
  bool low_closed = false, high_closed = false;
};
using NumberSet = std::vector<Piece>;  // ascending, apart from each other

/// Whether it is written as a set of real numbers: ∪, ∩, \, R, the empty set, an interval with a square bracket or an
/// infinite end.
bool is_number_set(const Expr& expr);

/// The numbers an expression that is_number_set, an interval, a finite set or a relation in one unknown stands for; and
/// for a relation its unknown ("" for others), which may be a whole formula (x² of x² = 4) unless it is `solved`.
/// Throws Undecided where ends cannot be put in order or the relation cannot be solved: sides linear in the unknown or
/// in its absolute value can, and quotients of polynomials whose factors are linear or quadratic.
struct SolutionSet {
  NumberSet numbers;
  std::string unknown;
  bool solved = true;
};
SolutionSet solution_set(const Expr& expr, Budget& budget);

}  // namespace agro
