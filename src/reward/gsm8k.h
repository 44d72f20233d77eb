#pragma once
// Verifier "gsm8k": answers in the form of the GSM8K data set, a solution whose last line is "#### 72".
#include <string_view>

#include "reward/verdict.h"

namespace agro {

/// The answer is the number right after the last "####", on the same line; all commas in it are dropped ("1,2" is 12),
/// a currency mark before it and anything after it are ignored. Numbers are compared within the tolerances of
/// `options`. A prediction without such an answer is not equal, unless it is nothing but a number. `gold` may be a
/// whole solution or the bare number; if it is neither, the verdict stays open.
Verdict verify_gsm8k(std::string_view gold, std::string_view pred, const VerifyOptions& options = {});

}  // namespace agro
