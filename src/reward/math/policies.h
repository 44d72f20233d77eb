#pragma once
// Policies "strict", "lenient" and "math_verify": mathematical equality of the answers in two texts.
#include <string_view>

#include "reward/verdict.h"

namespace agro {

/// The answer is the last \boxed{...}, what follows the last ####, or what follows "the answer is" or "Answer:"; else
/// the whole text. Equal are formulas with one normal form, lists in the same order, with the same units; no rounding
/// but options.tolerance. Symmetric and reflexive. What is neither proved equal nor different stays undecided.
Verdict verify_strict(std::string_view gold, std::string_view pred, const VerifyOptions& options = {});

/// As strict, but the answer may also be the last formula, choice or number of running text; notation is forgiven (see
/// Rules::other_forms), as are the order of lists, missing units, and the rounding of a number that no finite decimal
/// writes to three or more decimals; formulas that agree to 100 digits at every point tried count as equal, and `why`
/// says so. Symmetric and reflexive.
Verdict verify_lenient(std::string_view gold, std::string_view pred, const VerifyOptions& options = {});

/// The conventions of HuggingFace's Math-Verify: its order of places where the answer may stand, decimals compared to
/// six places, percentages as numbers, units ignored. Always decided where the gold answer is not empty.
Verdict verify_math_verify(std::string_view gold, std::string_view pred, const VerifyOptions& options = {});

}  // namespace agro
