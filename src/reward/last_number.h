#pragma once
// Verifier "last_number": the last number of the prediction is the last number of the gold text.
#include <string_view>

#include "reward/verdict.h"

namespace agro {

/// Numbers are read as first_number says and compared within the tolerances of `options`. A prediction without a number
/// is not equal; a gold text without one leaves the verdict open.
Verdict verify_last_number(std::string_view gold, std::string_view pred, const VerifyOptions& options = {});

}  // namespace agro
