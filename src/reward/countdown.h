#pragma once
// Verifier "countdown": an expression that makes a target from given numbers.
#include <string_view>

#include "reward/verdict.h"

namespace agro {

/// `gold` says what is to be made: "128 from 3, 7, 25, 50" (whole numbers, the target first). The prediction's
/// expression stands after the last "####" on its line, in the last \boxed{…}, between <answer> and </answer>, or is
/// the last line that is not empty; "= 128" beside it is left away. It may have + - * / (also × ÷ · − \times \div
/// \cdot) and brackets, no signs before numbers, and each given number at most as often as it is given. It is equal
/// where its exact value is the target: fractions on the way are allowed. A gold text of another form leaves the
/// verdict open. Linear in the input.
Verdict verify_countdown(std::string_view gold, std::string_view pred, const VerifyOptions& options = {});

}  // namespace agro
