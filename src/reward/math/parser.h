#pragma once
// An answer's text to an expression tree.
#include <string_view>

#include "reward/math/budget.h"
#include "reward/math/expr.h"

namespace agro {

/// Reads LaTeX or plain mathematics the way models write it: missing closing brackets, \frac12, doubled backslashes,
/// words between formulas. "2 1/2" and "2\frac12" are two and a half, "1,234" is a number, "{1,2}" is a set.
/// Throws Undecided for what is no formula ("unexpected ...") and for what is nested deeper than Expr::kMaxNesting.
Expr parse_math(std::string_view text, Budget& budget);

}  // namespace agro
