#include "lab/laboratory.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <system_error>

#include "core/error.h"
#include "report/csv_export.h"

namespace agro {
namespace {

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) line += (line.empty() ? "" : ",") + csv_field(cell);
  return line + '\n';
}

std::string csv_text(const LabSheet& sheet) {
  std::string text = csv_line(sheet.columns);
  for (const auto& row : sheet.rows) text += csv_line(row);
  return text;
}

void check_range(std::string_view what, size_t value, size_t lowest, size_t highest) {
  if (value < lowest || value > highest)
    throw fail("{} must be between {} and {}, found {}", what, lowest, highest, value);
}

}  // namespace

void check(const LabOptions& options) {
  check_range("--instances", options.instances, 1, 10000);
  check_range("--prompts", options.prompts, 1, 1000);
  check_range("--responses", options.responses, 2, 200);
  check_range("--group-size", options.group_size, 2, 1024);
  check_range("--steps", options.steps, 1, 1000000);
  if (!(options.beta >= 0.01 && options.beta <= 1000))
    throw fail("--beta must be between 0.01 and 1000, found {}", options.beta);
  if (!(options.learning_rate > 0 && std::isfinite(options.learning_rate)))
    throw fail("--learning-rate must be above 0, found {}", options.learning_rate);
}

std::vector<double> with_own_beta(std::vector<double> betas, const LabOptions& options) {
  if (std::find(betas.begin(), betas.end(), options.beta) == betas.end()) betas.push_back(options.beta);
  std::sort(betas.begin(), betas.end());
  return betas;
}

void tell(const LabOptions& options, const std::string& doing) {
  if (options.progress) options.progress(doing);
}

void prepare_folder(const Path& folder) {
  if (folder.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error && access(folder.c_str(), W_OK | X_OK) != 0) error = {errno, std::generic_category()};
  if (error) throw fail("nothing can be written to the folder {}: {}", folder.string(), error.message());
}

void write_result(const LabResult& result, const Path& csv_folder, const Path& svg_folder) {
  if (!csv_folder.empty()) {
    prepare_folder(csv_folder);
    for (const LabSheet& sheet : result.sheets) write_atomically(csv_folder / (sheet.name + ".csv"), csv_text(sheet));
  }
  if (svg_folder.empty()) return;
  prepare_folder(svg_folder);
  for (const LabFigure& figure : result.figures)
    write_atomically(svg_folder / (figure.name + ".svg"), svg_text(figure.plot));
}

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, values.size() - 1);
  const double rest = place - static_cast<double>(below);
  return rest == 0 ? values[below] : values[below] + rest * (values[above] - values[below]);
}

std::string table_text(const LabSheet& sheet) {
  std::vector<Column> columns;
  for (const std::string& name : sheet.columns)
    columns.push_back({name, columns.empty() ? Align::kLeft : Align::kRight});
  Table table(std::move(columns));
  for (const auto& row : sheet.rows) table.add_row(row);
  return table.text();
}

SvgSeries median_series(const std::string& name, const std::vector<double>& x,
                        const std::vector<std::vector<double>>& samples) {
  SvgSeries series;
  series.name = name;
  series.x = x;
  for (const auto& values : samples) {
    series.y.push_back(quantile(values, 0.5));
    series.low.push_back(quantile(values, 0.25));
    series.high.push_back(quantile(values, 0.75));
  }
  return series;
}

SvgSeries floored(SvgSeries series, double floor) {
  for (auto* values : {&series.y, &series.low, &series.high})
    for (double& value : *values) value = std::max(value, floor);
  return series;
}

}  // namespace agro
