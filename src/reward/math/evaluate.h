#pragma once
// The value of a formula at a point, with rigorous error bounds: what proves that two formulas are different.
#include "reward/math/ball.h"
#include "reward/math/budget.h"
#include "reward/math/expr.h"

namespace agro {

/// Encloses the value of `expr` in a ball computed with `precision` bits. Point number `point` gives every variable a
/// rational value that depends on its name alone (positive in the points 0 to 3); an unknown function f is a fixed
/// analytic function that depends on its name alone, so that what differs here differs for some f.
/// Throws Undecided where the value is undefined or out of reach: division by zero, words, sums with limits.
Ball evaluate(const Expr& expr, int point, int64_t precision, Budget& budget);

/// The sign of a real constant: -1, 0 (only where `expr` is a literal zero) or 1. Throws Undecided where it cannot be
/// told.
int sign_of(const Expr& expr, Budget& budget);

}  // namespace agro
