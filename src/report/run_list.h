#pragma once
// The runs below a folder, and the figures by which one tells them apart.
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "report/run_data.h"

namespace agro {

/// The run directories at and below `folder`, at most four levels down, by name. What a run keeps below itself
/// (checkpoints, best, final, …) is not searched. Empty where there is none.
std::vector<Path> find_runs(const Path& folder);

/// One line of `agro runs`.
struct RunSummary {
  Path folder;
  std::string name;     // path below the folder that was searched
  std::string problem;  // why it could not be read; then nothing below is known
  RunState state = RunState::kStopped;
  int64_t step = 0;
  std::optional<int64_t> steps;  // run.steps of its config
  std::string objective;         // "agro", …, "sft"; empty where unknown
  struct Best {
    double value = 0;
    int64_t step = 0;
  };
  std::optional<Best> greedy, sampled;  // highest accuracy of the evaluations
  std::optional<double> reward;         // of the last step
  double seconds = 0;                   // spent in steps and evaluations
  std::chrono::system_clock::time_point changed;
};

/// A run that cannot be read becomes a summary with its problem.
RunSummary summarize_run(const Path& run, const Path& searched);

/// All runs below `folder`, the one that changed last first. Throws Error where the folder is missing.
std::vector<RunSummary> list_runs(const Path& folder);

/// The table for the screen; ages are relative to `now`.
std::string run_table(std::span<const RunSummary> runs, std::chrono::system_clock::time_point now);

/// {"name", "folder", "state", "step", "steps", "objective", "greedy_accuracy", "greedy_accuracy_step", …, "changed"
/// (seconds since 1970)}; null for what is unknown. A damaged run: {"name", "folder", "problem"}.
OrderedJson to_json(const RunSummary& run);

}  // namespace agro
