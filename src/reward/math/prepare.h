#pragma once
// The form in which answers are compared: chains of equations shortened, ± written out, other notations of the same
// thing brought together where the rules allow it.
#include "reward/math/expr.h"
#include "reward/math/rules.h"

namespace agro {

/// An equation whose left side is only a name: x = 5, f(x) = 2x, AB = 4, (x, y) = (1, 2).
bool is_assignment(const Expr& expr);

Expr prepare(const Expr& expr, const Rules& rules);

/// The equations "x = 2, y = 3" of a prepared expression, or those that (x, y) = (2, 3) stands for, sorted by name.
/// Empty where it is not two or more of them, each with a name of its own.
std::vector<Expr> assignments_of(const Expr& expr);

/// What remains of a prepared expression without the names of its values: x = 5 becomes 5, x in S becomes S, a list
/// "p = 5, q = 2, p = 7, q = 2" the tuples (5, 2), (7, 2).
Expr without_names(const Expr& expr);

}  // namespace agro
