#include "report/page_data.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <ctime>

namespace agro {
namespace {

OrderedJson column_json(const std::vector<std::optional<double>>& values) {
  OrderedJson column = OrderedJson::array();
  for (const auto& value : values) column.push_back(value ? OrderedJson(*value) : OrderedJson(nullptr));
  return column;
}

OrderedJson table_json(const StepTable& table) {
  OrderedJson columns = {{"step", table.steps}};
  for (const auto& column : table.columns) columns.emplace(column.name, column_json(column.values));
  return columns;
}

OrderedJson result_json(const EvaluationFile& file, size_t max_responses) {
  OrderedJson responses = OrderedJson::array();
  for (const EvaluatedPrompt& prompt :
       std::span(file.responses).first(std::min(file.responses.size(), max_responses))) {
    OrderedJson response = {{"prompt", prompt.prompt}, {"answer", prompt.answer}, {"text", prompt.text}};
    response["correct"] = prompt.correct ? OrderedJson(*prompt.correct) : OrderedJson(nullptr);
    response["sampled_share"] = prompt.sampled_share ? OrderedJson(*prompt.sampled_share) : OrderedJson(nullptr);
    if (prompt.truncated) response["truncated"] = true;
    if (!prompt.samples.empty()) response["samples"] = prompt.samples;
    if (!prompt.labels.empty()) response["labels"] = prompt.labels;
    responses.push_back(std::move(response));
  }
  OrderedJson result = {{"name", file.name}, {"figures", file.figures}};
  if (!file.statistics.is_null()) result["statistics"] = file.statistics;
  if (!file.comparison.is_null()) result["comparison"] = file.comparison;
  result["responses"] = std::move(responses);
  return result;
}

/// At most `count` of the steps, evenly spread, first and last included.
std::vector<int64_t> spread(const std::vector<int64_t>& steps, size_t count) {
  if (steps.size() <= count) return steps;
  if (count < 2) return {steps.end() - static_cast<ptrdiff_t>(count), steps.end()};
  std::vector<int64_t> chosen;
  for (size_t i = 0; i < count; ++i) chosen.push_back(steps[i * (steps.size() - 1) / (count - 1)]);
  return chosen;
}

std::string page_name(const RunData& run, std::span<const RunData> runs) {
  const auto same =
      std::count_if(runs.begin(), runs.end(), [&](const RunData& other) { return other.name == run.name; });
  return same > 1 ? run.folder.lexically_normal().string() : run.name;
}

OrderedJson run_json(const RunData& run, const PageOptions& options) {
  OrderedJson json;
  json["folder"] = run.folder.string();
  json["state"] = name_of(run.state);
  json["config"] = run.config;
  json["metrics"] = table_json(run.metrics);
  json["evaluations"] = table_json(run.evaluations);
  json["timings"] = table_json(run.timings);
  json["completion_steps"] = run.completion_steps;
  json["completions"] = OrderedJson::object();
  if (!options.live) {
    const std::vector<int64_t> steps = spread(run.completion_steps, options.max_completion_steps);
    json["completion_steps"] = steps;
    for (const int64_t step : steps)
      json["completions"][std::to_string(step)] = page_completions(run.folder, step, options.max_groups);
  }
  json["results"] = OrderedJson::array();
  for (const EvaluationFile& file : run.results)
    json["results"].push_back(result_json(file, options.max_result_responses));
  return json;
}

}  // namespace

OrderedJson page_data(std::span<const RunData> runs, const PageOptions& options) {
  OrderedJson page = {{"version", 1}, {"live", options.live}};
  page["generated"] = fmt::format("{:%Y-%m-%d %H:%M}", fmt::localtime(std::time(nullptr)));
  page["runs"] = OrderedJson::array();
  for (const RunData& run : runs) {
    OrderedJson json = {{"name", page_name(run, runs)}};
    json.update(run_json(run, options));
    page["runs"].push_back(std::move(json));
  }
  return page;
}

OrderedJson page_completions(const Path& run_folder, int64_t step, size_t max_groups) {
  OrderedJson groups = read_completions_step(run_folder, step, max_groups);
  for (OrderedJson& group : groups) {
    group.erase("ids");
    const auto completions = group.find("completions");
    if (completions == group.end() || !completions->is_array()) continue;
    for (OrderedJson& completion : *completions)
      if (completion.is_object()) completion.erase("ids");
  }
  return groups;
}

}  // namespace agro
