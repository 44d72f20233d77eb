#pragma once
// Arithmetic of matrices, done before comparison: sums, products, scalar multiples, determinants.
#include "reward/math/budget.h"
#include "reward/math/expr.h"

namespace agro {

/// `expr` with every sum, product and determinant of matrices worked out, entries left as formulas. Throws Undecided
/// where shapes do not fit.
Expr fold_matrices(const Expr& expr, Budget& budget);

}  // namespace agro
