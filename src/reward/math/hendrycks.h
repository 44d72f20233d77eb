#pragma once
// Policy "hendrycks": equality of normalised strings, as the grader published with the MATH data set decides it.
#include <string>
#include <string_view>

#include "reward/verdict.h"

namespace agro {

/// The string that grader compares: spaces, \left, \right, \!, degree, dollar and percent signs gone; \dfrac and \tfrac
/// are \frac; \frac12 and \sqrt3 get their braces; a/b of two integers is \frac{a}{b}; ".5" is "0.5"; 0.5 is
/// \frac{1}{2}; "x = " and "\text{ unit}" at the ends are dropped. Throws Undecided for what that grader cannot
/// normalise.
std::string hendrycks_normal(std::string_view text);

/// The last \boxed{...} of either side, where it has one, else the whole text. Always decided.
Verdict verify_hendrycks(std::string_view gold, std::string_view pred, const VerifyOptions& options = {});

}  // namespace agro
