#pragma once
// Verifier "gsm8k": answers in the form of the GSM8K data set, a solution whose last line is "#### 72".
#include <string_view>

#include "reward/verdict.h"

namespace agro {

/// The answer is the number right after the last "####", on the same line; all commas in it are dropped ("1,2" is 12),
/// a currency mark before it and anything after it are ignored. "3/4" and "1 1/2" are fractions, not 3 and 1. Numbers
/// are compared within the tolerances of `options`, a gold fraction with numbers and fractions by its exact value. To a
/// gold number no fraction is equal, not even "10/2" to 5: graders of GSM8K compare the texts there. A prediction
/// without such an answer is not equal, unless it is nothing but an answer. `gold` may be a whole solution or the bare
/// answer; if it is neither, the verdict stays open.
Verdict verify_gsm8k(std::string_view gold, std::string_view pred, const VerifyOptions& options = {});

}  // namespace agro
