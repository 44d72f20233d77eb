#include "report/run_data.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/file_lock.h"
#include "report/line_tail.h"
#include "report/record.h"
#include "report/run_tail.h"

namespace agro {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFile = size_t{256} << 20;

bool is_there(const Path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// N of "step-N.jsonl".
std::optional<int64_t> completion_step(std::string_view name) {
  constexpr std::string_view kPrefix = "step-", kSuffix = ".jsonl";
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  name = name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  int64_t step = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
  return error == std::errc() && end == name.data() + name.size() && step >= 0 ? std::optional(step) : std::nullopt;
}

std::string text_of(const OrderedJson& record, const char* key) {
  const auto found = record.find(key);
  if (found == record.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : to_line(*found);
}

/// The field where it is of that type, else null.
OrderedJson part_of(const OrderedJson& record, const char* key, OrderedJson::value_t type) {
  const auto found = record.find(key);
  return found != record.end() && found->type() == type ? *found : OrderedJson();
}

EvaluatedPrompt evaluated_prompt(const OrderedJson& record) {
  if (!record.is_object()) throw Error("a response is not an object");
  EvaluatedPrompt prompt;
  // A chat is shown by what was asked, without the marks that its template puts around it.
  const bool chat = record.contains("messages");
  for (const char* key : {chat ? "question" : "prompt", chat ? "messages" : "question", "prompt", "ids"})
    if (prompt.prompt.empty()) prompt.prompt = text_of(record, key);
  prompt.answer = text_of(record, "answer");
  prompt.text = text_of(record, "text");
  if (OrderedJson samples = part_of(record, "samples", OrderedJson::value_t::array); !samples.is_null())
    prompt.samples = std::move(samples);
  if (OrderedJson labels = part_of(record, "labels", OrderedJson::value_t::object); !labels.is_null())
    prompt.labels = std::move(labels);
  if (const auto found = record.find("truncated"); found != record.end() && found->is_boolean())
    prompt.truncated = found->get<bool>();
  if (const auto found = record.find("correct"); found != record.end() && found->is_boolean())
    prompt.correct = found->get<bool>();
  if (const auto found = record.find("sampled_share"); found != record.end() && found->is_number())
    prompt.sampled_share = found->get<double>();
  return prompt;
}

EvaluationFile read_evaluation_file(const Path& path) {
  try {
    if (fs::file_size(path) > kMaxFile) throw fail("is larger than {} MiB", kMaxFile >> 20);
    return parse_evaluation(path.stem().string(), parse_record(agro::read_file(path)));
  } catch (const fs::filesystem_error& error) {
    throw fail("cannot read: {}", error.code().message()).at(path.string());
  } catch (Error& error) {
    throw std::move(error).at(path.string());
  }
}

}  // namespace

std::string_view name_of(RunState state) {
  switch (state) {
    case RunState::kRunning:
      return "running";
    case RunState::kFinished:
      return "finished";
    case RunState::kStopped:
      return "stopped";
    case RunState::kEvaluated:
      break;
  }
  return "evaluated";
}

EvaluationFile parse_evaluation(std::string name, const OrderedJson& record) {
  EvaluationFile file;
  file.name = std::move(name);
  const auto figures = record.find("figures");
  if (figures == record.end() || !figures->is_object()) throw Error("has no object \"figures\"");
  file.figures = *figures;
  file.statistics = part_of(record, "statistics", OrderedJson::value_t::object);
  file.comparison = part_of(record, "comparison", OrderedJson::value_t::object);
  if (const auto responses = record.find("responses"); responses != record.end()) {
    if (!responses->is_array()) throw Error("\"responses\" is not a list");
    for (const OrderedJson& response : *responses) file.responses.push_back(evaluated_prompt(response));
  }
  return file;
}

bool is_run_folder(const Path& folder) {
  return is_there(folder / "metrics.jsonl") || is_there(folder / "evaluations");
}

RunData read_run(const Path& folder) { return RunTail(folder).take(); }

RunState read_run_state(const Path& folder) {
  if (is_locked(run_lock_path(folder))) return RunState::kRunning;
  if (!is_there(folder / "metrics.jsonl")) return RunState::kEvaluated;
  return is_there(folder / "final") ? RunState::kFinished : RunState::kStopped;
}

std::vector<int64_t> read_completion_steps(const Path& folder) {
  std::vector<int64_t> steps;
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(folder / "completions", absent))
    if (const auto step = completion_step(entry.path().filename().string())) steps.push_back(*step);
  std::sort(steps.begin(), steps.end());
  return steps;
}

std::vector<EvaluationFile> read_evaluation_files(const Path& folder) {
  std::vector<Path> paths;
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(folder / "evaluations", absent)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".json") && !name.starts_with('.')) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<EvaluationFile> files;
  for (const Path& path : paths) files.push_back(read_evaluation_file(path));
  return files;
}

OrderedJson read_completions_step(const Path& folder, int64_t step, size_t limit) {
  const Path path = folder / "completions" / fmt::format("step-{}.jsonl", step);
  if (!is_there(path)) throw Error("there are no responses of this step").at(path.string());
  OrderedJson groups = OrderedJson::array();
  LineTail(path).read([&](std::string_view line, int64_t) {
    if (groups.size() < limit) groups.push_back(parse_record(line));
  });
  return groups;
}

}  // namespace agro
