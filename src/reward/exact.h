#pragma once
// Verifier "exact": the prediction is the gold text.
#include <string_view>

#include "reward/verdict.h"

namespace agro {

/// Compares bytes; options.trim drops ASCII whitespace around both, options.ignore_case folds ASCII letters only.
/// Always decided.
Verdict verify_exact(std::string_view gold, std::string_view pred, const VerifyOptions& options = {});

}  // namespace agro
