#include "report/run_tail.h"

#include <tuple>

#include "core/error.h"
#include "report/flat_config.h"
#include "report/record.h"

namespace agro {
namespace {

constexpr uintmax_t kMaxConfig = uintmax_t{1} << 20;

/// The distant past where there is no such file.
std::filesystem::file_time_type time_of(const Path& path) {
  std::error_code absent;
  const auto time = std::filesystem::last_write_time(path, absent);
  return absent ? std::filesystem::file_time_type::min() : time;
}

std::string folder_name(const Path& folder) {
  const Path path = std::filesystem::absolute(folder).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

int64_t step_of(const OrderedJson& record) {
  const auto step = record.find("step");
  if (step == record.end() || !step->is_number_integer()) throw Error("has no whole number \"step\"");
  return step->get<int64_t>();
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

}  // namespace

RunTail::RunTail(const Path& folder) : metrics_(folder / "metrics.jsonl"), timings_(folder / "timings.jsonl") {
  data_.folder = folder;
  data_.name = folder_name(folder);
  data_.state = read_run_state(folder);
  if (!is_run_folder(folder) && data_.state != RunState::kRunning) {
    const bool there = std::filesystem::is_directory(folder);
    throw fail("{}", there ? "is not a run directory: it has neither metrics.jsonl nor evaluations/"
                           : "there is no such folder")
        .at(folder.string())
        .hint("name the run.output of `agro train` or `agro sft`; `agro runs FOLDER` lists the runs below a folder");
  }
  config_time_ = time_of(folder / "config.toml");
  completions_time_ = time_of(folder / "completions");
  evaluations_time_ = time_of(folder / "evaluations");
  if (const Path config = folder / "config.toml"; std::filesystem::exists(config)) {
    if (std::filesystem::file_size(config) > kMaxConfig)
      throw fail("is larger than {} KiB", kMaxConfig >> 10).at(config.string());
    data_.config_text = read_file(config);
    data_.config = flat_config(data_.config_text, config.string());
  }
  data_.completion_steps = read_completion_steps(folder);
  data_.results = read_evaluation_files(folder);
  read_records();
}

RunTail::Change RunTail::update() {
  const Path folder = data_.folder;
  if (metrics_.replaced() || timings_.replaced() || time_of(folder / "config.toml") != config_time_ ||
      time_of(folder / "evaluations") != evaluations_time_) {
    *this = RunTail(folder);
    return Change::kReplaced;
  }
  const auto extent = [this] {
    return std::tuple(data_.metrics.steps.size(), data_.evaluations.steps.size(), data_.timings.steps.size(),
                      data_.completion_steps.size(), data_.state);
  };
  const auto before = extent();
  data_.state = read_run_state(folder);
  if (const auto time = time_of(folder / "completions"); time != completions_time_) {
    data_.completion_steps = read_completion_steps(folder);
    completions_time_ = time;
  }
  read_records();
  return extent() == before ? Change::kNone : Change::kGrown;
}

void RunTail::read_records() {
  metrics_.read([this](std::string_view line, int64_t) {
    if (is_blank(line)) return;
    const OrderedJson record = parse_record(line);
    const auto evaluation = record.find("evaluation");
    if (evaluation == record.end()) return data_.metrics.append(step_of(record), record);
    if (!evaluation->is_object()) throw Error("\"evaluation\" is not an object");
    data_.evaluations.append(step_of(record), *evaluation);
  });
  timings_.read([this](std::string_view line, int64_t) {
    if (is_blank(line)) return;
    const OrderedJson record = parse_record(line);
    data_.timings.append(step_of(record), record);
  });
}

}  // namespace agro
