#pragma once
// The table of verifiers: how a prediction is compared with the gold answer, by name.
// A new policy is one pair of files beside gsm8k.{h,cpp} and one row in verify.cpp; `agro verify --policy` and
// `[[rewards.reward]] kind` then know it. What mathematics they need is in math/.
#include <string>
#include <string_view>
#include <vector>

#include "reward/verdict.h"

namespace agro {

using Verifier = Verdict (*)(std::string_view gold, std::string_view pred, const VerifyOptions& options);

/// The names of all verifiers, for choices and help.
std::vector<std::string> verifier_names();

/// Throws Error for an unknown name: lists the known ones and suggests the nearest.
Verifier find_verifier(std::string_view name);

/// One comparison. Throws Error for an unknown policy, never because of what `gold` or `pred` hold.
Verdict verify(std::string_view policy, std::string_view gold, std::string_view pred,
               const VerifyOptions& options = {});

}  // namespace agro
