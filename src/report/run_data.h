#pragma once
// A run directory, read: what the report page, the live page, the list of runs and the table at the end of a screen
// show. Reading never changes a run and copes with one that is being written.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/json.h"

namespace agro {

/// kRunning: a process holds the run's lock. kFinished: final/ is there. kStopped: neither. kEvaluated: no training, only
/// evaluation files.
enum class RunState { kRunning, kFinished, kStopped, kEvaluated };
std::string_view name_of(RunState state);

/// Records {"step": N, name: number, …} turned into columns. A missing or null value is empty.
struct StepTable {
  std::vector<int64_t> steps;  // in file order
  struct ColumnData {
    std::string name;
    std::vector<std::optional<double>> values;  // one per step
  };
  std::vector<ColumnData> columns;  // in order of first appearance

  bool empty() const { return steps.empty(); }
  const ColumnData* find(std::string_view name) const;
  /// The last value that is not empty.
  std::optional<double> last(std::string_view name) const;
  double sum(std::string_view name) const;
};

/// One prompt of an evaluation file.
struct EvaluatedPrompt {
  std::string prompt, answer;
  std::string text;                     // the greedy response
  std::optional<bool> correct;          // of the greedy response
  std::optional<double> sampled_share;  // share of correct samples
};

/// RUN/evaluations/NAME.json, written by `agro eval --output`:
/// {"name", "model", "prompts_file", "figures": {"greedy_accuracy", "greedy_error", …}, "seconds",
///  "responses": [{"prompt", "answer", "text", "correct", "sampled_share"}]}
struct EvaluationFile {
  std::string name;  // file name without .json
  OrderedJson figures = OrderedJson::object();
  std::vector<EvaluatedPrompt> responses;
};

struct RunData {
  Path folder;
  std::string name;  // the folder's last component
  RunState state = RunState::kStopped;
  OrderedJson config = OrderedJson::object();  // config.toml flattened: {"objective.beta": 0.1, …}
  std::string config_text;
  StepTable metrics;      // training steps of metrics.jsonl
  StepTable evaluations;  // its {"step", "evaluation": {…}} records
  StepTable timings;      // timings.jsonl
  std::vector<int64_t> completion_steps;      // of completions/step-N.jsonl, ascending
  std::vector<EvaluationFile> results;        // by name
};

/// Reads a run directory. A last line that is being written is left out. Throws Error where the folder is not a run
/// directory or a record is damaged.
RunData read_run(const Path& folder);

/// The groups of RUN/completions/step-N.jsonl as they stand in the file, at most `limit` groups. Throws Error where the
/// file is missing or damaged.
OrderedJson read_completions_step(const Path& folder, int64_t step, size_t limit);

}  // namespace agro
