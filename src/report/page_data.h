#pragma once
// What the report page shows, as the one JSON document inside it.
#include <span>

#include "report/run_data.h"

namespace agro {

struct PageOptions {
  bool live = false;                  // responses are fetched when they are looked at, none are embedded
  size_t max_completion_steps = 20;   // per run; evenly spread, the first and the last among them
  size_t max_groups = 32;             // per embedded step
  size_t max_result_responses = 500;  // per evaluation file
};

/// {"version": 1, "live", "generated": "2026-11-23 04:50" (local time), "runs": [{"name", "folder", "state", "config",
/// "metrics", "evaluations", "timings": {"step": […], column: […]} with null for empty, "completion_steps",
/// "completions": {"25": [group, …]}, "results": [{"name", "figures", "responses": […]}]}]}.
/// Runs whose folders have the same name are named by their whole path. A completions file that cannot be read throws
/// Error.
OrderedJson page_data(std::span<const RunData> runs, const PageOptions& options);

/// The groups of one step, without token ids.
OrderedJson page_completions(const Path& run_folder, int64_t step, size_t max_groups);

}  // namespace agro
