#include "report/run_list.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/error.h"
#include "report/format.h"
#include "report/table.h"

namespace agro {
namespace {

namespace fs = std::filesystem;
using std::chrono::system_clock;

constexpr int kMaxDepth = 4;
constexpr size_t kMaxFolders = 100'000;

bool belongs_to_a_run(const std::string& name) {
  constexpr std::array kInside = {"checkpoints", "best", "final", "completions", "evaluations", "failed"};
  return name.starts_with('.') || std::find(kInside.begin(), kInside.end(), name) != kInside.end();
}

/// `visited` holds the folders themselves, so that links cannot lead in circles.
void search(const Path& folder, int depth, std::set<Path>& visited, std::vector<Path>& runs) {
  std::error_code error;
  const Path real = fs::canonical(folder, error);
  if (error || visited.size() >= kMaxFolders || !visited.insert(real).second) return;
  if (is_run_folder(folder)) runs.push_back(folder);
  if (depth == kMaxDepth) return;
  for (auto entry = fs::directory_iterator(folder, fs::directory_options::skip_permission_denied, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored) && !belongs_to_a_run(entry->path().filename().string()))
      search(entry->path(), depth + 1, visited, runs);
  }
}

system_clock::time_point last_change(const Path& run) {
  std::vector<Path> paths = {run / "metrics.jsonl", run / "timings.jsonl", run / "final"};
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(run / "evaluations", absent)) paths.push_back(entry.path());
  system_clock::time_point newest{};
  for (const Path& path : paths) {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0) newest = std::max(newest, system_clock::from_time_t(info.st_mtime));
  }
  return newest;
}

std::optional<RunSummary::Best> best(const StepTable& table, std::string_view name) {
  const auto* column = table.find(name);
  std::optional<RunSummary::Best> best;
  for (size_t row = 0; column != nullptr && row < table.steps.size(); ++row)
    if (const auto& value = column->values[row]; value && (!best || *value > best->value))
      best = {.value = *value, .step = table.steps[row]};
  return best;
}

/// The best of the evaluations while it trained; else of its evaluation files, whose step is unknown.
std::optional<RunSummary::Best> best(const RunData& run, const std::string& name) {
  if (const auto trained = best(run.evaluations, name)) return trained;
  std::optional<RunSummary::Best> best;
  for (const EvaluationFile& file : run.results)
    if (const auto figure = file.figures.find(name); figure != file.figures.end() && figure->is_number())
      if (!best || figure->get<double>() > best->value) best = {.value = figure->get<double>(), .step = 0};
  return best;
}

std::string objective_of(const RunData& run) {
  if (const auto name = run.config.find("objective.name"); name != run.config.end() && name->is_string())
    return name->get<std::string>();
  return run.config.contains("sft.sequences_per_step") ? "sft" : "";
}

std::string age_text(double seconds) {
  if (seconds < 5) return "now";
  if (seconds < 60) return fmt::format("{:.0f} s ago", seconds);
  if (seconds < 3600) return fmt::format("{:.0f} min ago", seconds / 60);
  if (seconds < 86400) return fmt::format("{:.0f} h ago", seconds / 3600);
  return fmt::format("{:.0f} days ago", seconds / 86400);
}

std::string accuracy_text(const std::optional<RunSummary::Best>& best) {
  if (!best) return "";
  return best->step > 0 ? fmt::format("{:.1f} % @{}", 100 * best->value, best->step)
                        : fmt::format("{:.1f} %", 100 * best->value);
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

std::vector<Path> find_runs(const Path& folder) {
  std::set<Path> visited;
  std::vector<Path> runs;
  search(folder, 0, visited, runs);
  std::sort(runs.begin(), runs.end());
  return runs;
}

RunSummary summarize_run(const Path& folder, const Path& searched) {
  RunSummary summary;
  summary.folder = folder;
  summary.name = folder.lexically_relative(searched).string();
  if (summary.name.empty() || summary.name == ".") summary.name = folder.string();
  summary.changed = last_change(folder);
  try {
    const RunData run = read_run(folder);
    summary.state = run.state;
    if (!run.metrics.empty()) summary.step = run.metrics.steps.back();
    if (const auto steps = run.config.find("run.steps"); steps != run.config.end() && steps->is_number_integer())
      summary.steps = steps->get<int64_t>();
    summary.objective = objective_of(run);
    summary.greedy = best(run, "greedy_accuracy");
    summary.sampled = best(run, "sampled_accuracy");
    summary.reward = run.metrics.last("reward_mean");
    summary.seconds = run.timings.sum("step_seconds") + run.timings.sum("evaluation_seconds");
  } catch (const std::exception& error) {
    summary.problem = first_line(error.what());
  }
  return summary;
}

std::vector<RunSummary> list_runs(const Path& folder) {
  if (!fs::is_directory(folder)) throw Error("there is no such folder").at(folder.string());
  std::vector<RunSummary> runs;
  for (const Path& run : find_runs(folder)) runs.push_back(summarize_run(run, folder));
  std::stable_sort(runs.begin(), runs.end(), [](const auto& a, const auto& b) { return a.changed > b.changed; });
  return runs;
}

std::string run_table(std::span<const RunSummary> runs, system_clock::time_point now) {
  Table table({{"run", Align::kLeft},
               {"state", Align::kLeft},
               {"step"},
               {"objective", Align::kLeft},
               {"best greedy"},
               {"best sampled"},
               {"reward"},
               {"time"},
               {"changed"}});
  std::string problems;
  for (const RunSummary& run : runs) {
    const std::string age = age_text(std::chrono::duration<double>(now - run.changed).count());
    if (!run.problem.empty()) {
      table.add_row({run.name, "damaged", "", "", "", "", "", "", age});
      problems += fmt::format("\n{}", run.problem);
      continue;
    }
    table.add_row({run.name, std::string(name_of(run.state)),
                   run.steps ? fmt::format("{}/{}", run.step, *run.steps) : fmt::format("{}", run.step), run.objective,
                   accuracy_text(run.greedy), accuracy_text(run.sampled), run.reward ? short_number(*run.reward) : "",
                   run.seconds > 0 ? duration_text(run.seconds) : "", age});
  }
  return table.text() + (problems.empty() ? "" : problems + "\n");
}

OrderedJson to_json(const RunSummary& run) {
  OrderedJson json = {{"name", run.name}, {"folder", run.folder.string()}};
  if (!run.problem.empty()) {
    json["problem"] = run.problem;
    return json;
  }
  const auto or_null = [](const auto& value) { return value ? OrderedJson(*value) : OrderedJson(nullptr); };
  json["state"] = name_of(run.state);
  json["step"] = run.step;
  json["steps"] = or_null(run.steps);
  json["objective"] = run.objective.empty() ? OrderedJson(nullptr) : OrderedJson(run.objective);
  for (const auto& [name, best] : {std::pair("greedy_accuracy", run.greedy), {"sampled_accuracy", run.sampled}}) {
    json[name] = best ? OrderedJson(best->value) : OrderedJson(nullptr);
    json[fmt::format("{}_step", name)] = best ? OrderedJson(best->step) : OrderedJson(nullptr);
  }
  json["reward_mean"] = or_null(run.reward);
  json["seconds"] = run.seconds;
  json["changed"] = std::chrono::duration_cast<std::chrono::seconds>(run.changed.time_since_epoch()).count();
  return json;
}

}  // namespace agro
