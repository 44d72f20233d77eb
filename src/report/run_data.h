#pragma once
// A run directory, read: what the report page, the live page, the list of runs and the table at the end of a screen
// show. Reading never changes a run and copes with one that is being written.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "core/json.h"
#include "report/step_table.h"

namespace agro {

/// kRunning: a process holds the run's lock. kFinished: final/ is there. kStopped: neither. kEvaluated: no training,
/// only evaluation files.
enum class RunState { kRunning, kFinished, kStopped, kEvaluated };
std::string_view name_of(RunState state);

/// The file that the process that trains holds locked, see core/file_lock.h.
inline Path run_lock_path(const Path& run_folder) { return run_folder / "lock"; }

/// One prompt of an evaluation file.
struct EvaluatedPrompt {
  std::string prompt;  // what the model read; of a chat what the user asked
  std::string answer;
  std::string text;                            // the greedy response
  std::optional<bool> correct;                 // of the greedy response
  std::optional<double> sampled_share;         // share of correct samples
  bool truncated = false;                      // the greedy response
  OrderedJson samples = OrderedJson::array();  // [{"text", "correct", "reward", "tokens", "truncated"}]
  OrderedJson labels = OrderedJson::object();  // {"level": "Level 5"}
};

/// RUN/evaluations/NAME.json, written by `agro eval --output`:
/// {"name", "model", "prompts_file", "figures": {"greedy_accuracy", "greedy_error", …}, "statistics"?, "comparison"?,
///  "seconds", "responses": [{"question"?, "prompt", "messages"?, "answer", "text", "correct", "sampled_share",
///  "samples"?, "labels"?}]}
struct EvaluationFile {
  std::string name;  // file name without .json
  OrderedJson figures = OrderedJson::object();
  OrderedJson statistics = nullptr;  // as evaluate/summary.h has them; null where the file has none
  OrderedJson comparison = nullptr;  // as evaluate/comparison.h has it, with "with", the other file; null as above
  std::vector<EvaluatedPrompt> responses;
};

struct RunData {
  Path folder;
  std::string name;  // the folder's last component
  RunState state = RunState::kStopped;
  OrderedJson config = OrderedJson::object();  // config.toml flattened: {"objective.beta": 0.1, …}
  std::string config_text;
  StepTable metrics;                      // training steps of metrics.jsonl
  StepTable evaluations;                  // its {"step", "evaluation": {…}} records
  StepTable timings;                      // timings.jsonl
  std::vector<int64_t> completion_steps;  // of completions/step-N.jsonl, ascending
  std::vector<EvaluationFile> results;    // by name
};

/// Whether the folder holds a run's figures: metrics.jsonl or evaluations/.
bool is_run_folder(const Path& folder);

/// Reads a run directory. A last line that is being written is left out. Throws Error where the folder is not a run
/// directory or a record is damaged.
RunData read_run(const Path& folder);

/// The groups of RUN/completions/step-N.jsonl as they stand in the file, at most `limit` groups. Throws Error where the
/// file is missing or damaged.
OrderedJson read_completions_step(const Path& folder, int64_t step, size_t limit);

// The parts of a run directory, for those who look at one again and again.
RunState read_run_state(const Path& folder);
std::vector<int64_t> read_completion_steps(const Path& folder);
std::vector<EvaluationFile> read_evaluation_files(const Path& folder);
/// The content of an evaluation file. Throws Error (without place) for what is none.
EvaluationFile parse_evaluation(std::string name, const OrderedJson& record);

}  // namespace agro
