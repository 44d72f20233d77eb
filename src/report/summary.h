#pragma once
// The end of a screen: runs side by side, and what a model wrote before and after.
#include <span>
#include <string>

#include "report/run_data.h"

namespace agro {

/// A table with one row per run: what it is worth (the evaluation file of most prompts that all runs share, else the
/// run's own evaluations at its start and end), ± standard errors, and what it cost: time of its steps and evaluations,
/// as on the page, and tokens of its steps. A line below says so.
std::string summary_table(std::span<const RunData> runs);

/// Up to `count` prompts of the first run's evaluation file that it answered wrongly and most of the later runs answer
/// rightly, each with the responses of all. Empty where fewer than two runs have one in common.
std::string before_and_after(std::span<const RunData> runs, int64_t count);

}  // namespace agro
