#pragma once
// `agro sft`: supervised training on completions.
#include "train/config.h"

namespace agro {

/// Minimises the mean negative log-likelihood of the completions' tokens. Same run directory, resume and errors as
/// run_rl.
void run_sft(const SftConfig& config, bool resume);

}  // namespace agro
