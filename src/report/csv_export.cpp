#include "report/csv_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace agro {
namespace {

using Cells = std::vector<std::string>;

std::string line(const Cells& cells) {
  std::string text;
  for (const std::string& cell : cells) text += (text.empty() ? "" : ",") + csv_field(cell);
  return text + '\n';
}

void add_once(Cells& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

/// All runs' rows below one another.
std::string step_tables(std::span<const RunData> runs, const StepTable RunData::*table) {
  Cells names;
  for (const RunData& run : runs)
    for (const auto& column : (run.*table).columns) add_once(names, column.name);
  Cells head = {"run", "step"};
  head.insert(head.end(), names.begin(), names.end());
  std::string text = line(head);
  for (const RunData& run : runs) {
    const StepTable& rows = run.*table;
    std::vector<const StepTable::ColumnData*> columns;
    for (const std::string& name : names) columns.push_back(rows.find(name));
    for (size_t i = 0; i < rows.steps.size(); ++i) {
      Cells cells = {run.name, std::to_string(rows.steps[i])};
      for (const auto* column : columns)
        cells.push_back(column != nullptr && column->values[i] ? fmt::format("{}", *column->values[i]) : "");
      text += line(cells);
    }
  }
  return text;
}

std::string figure_text(const OrderedJson& value) {
  if (value.is_null()) return "";
  return value.is_string() ? value.get<std::string>() : to_line(value);
}

std::string results_table(std::span<const RunData> runs) {
  Cells names;
  for (const RunData& run : runs)
    for (const EvaluationFile& result : run.results)
      for (const auto& [name, value] : result.figures.items()) add_once(names, name);
  Cells head = {"run", "name"};
  head.insert(head.end(), names.begin(), names.end());
  std::string text = line(head);
  for (const RunData& run : runs)
    for (const EvaluationFile& result : run.results) {
      Cells cells = {run.name, result.name};
      for (const std::string& name : names)
        cells.push_back(result.figures.contains(name) ? figure_text(result.figures.at(name)) : "");
      text += line(cells);
    }
  return text;
}

}  // namespace

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

void export_csv(std::span<const RunData> runs, const Path& folder) {
  std::filesystem::create_directories(folder);
  const auto any = [&](auto&& holds) { return std::any_of(runs.begin(), runs.end(), holds); };
  for (const auto& [name, table] :
       {std::pair{"metrics.csv", &RunData::metrics}, std::pair{"evaluations.csv", &RunData::evaluations},
        std::pair{"timings.csv", &RunData::timings}})
    if (any([table = table](const RunData& run) { return !(run.*table).empty(); }))
      write_atomically(folder / name, step_tables(runs, table));
  if (any([](const RunData& run) { return !run.results.empty(); }))
    write_atomically(folder / "results.csv", results_table(runs));
}

}  // namespace agro
