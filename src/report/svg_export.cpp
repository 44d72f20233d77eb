#include "report/svg_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

#include "report/svg_plot.h"

namespace agro {
namespace {

struct Figure {
  const char* file;
  const char* title;
  const char* unit;  // of the vertical axis
  StepTable RunData::*table;
  const char* column;
  const char* error = "";  // column of its standard errors
  bool scatters = false;   // from step to step: worth smoothing
};

constexpr double kInterval = 1.96;  // standard errors to each side: 95 %

constexpr std::array kFigures = {
    Figure{"greedy-accuracy", "Accuracy of the greedy response", "share", &RunData::evaluations, "greedy_accuracy",
           "greedy_error"},
    Figure{"sampled-accuracy", "Accuracy of sampled responses", "share", &RunData::evaluations, "sampled_accuracy",
           "sampled_error"},
    Figure{"evaluation-optimality-gap", "Optimality gap (evaluation)", "reward", &RunData::evaluations,
           "optimality_gap"},
    Figure{"value-gap", "Value gap (evaluation)", "reward", &RunData::evaluations, "value_gap"},
    Figure{"evaluation-kl", "KL divergence from the reference (evaluation)", "nats", &RunData::evaluations, "kl"},
    Figure{"reward", "Mean reward (training)", "reward", &RunData::metrics, "reward_mean", "", true},
    Figure{"accuracy", "Accuracy (training)", "share", &RunData::metrics, "accuracy", "", true},
    Figure{"loss", "Loss", "loss", &RunData::metrics, "loss", "", true},
    Figure{"optimality-gap", "Optimality gap (training)", "reward", &RunData::metrics, "optimality_gap", "", true},
    Figure{"log-ratio", "Mean log-ratio to the reference (training)", "nats", &RunData::metrics, "log_ratio_mean", "",
           true},
    Figure{"response-length", "Response length (training)", "tokens", &RunData::metrics, "response_tokens", "", true},
    Figure{"truncated", "Responses cut at the limit (training)", "share", &RunData::metrics, "truncated", "", true},
    Figure{"gradient-norm", "Gradient norm", "norm", &RunData::metrics, "gradient_norm", "", true},
    Figure{"learning-rate", "Learning rate", "learning rate", &RunData::metrics, "learning_rate"},
    Figure{"speed", "Speed", "tokens per second", &RunData::timings, "tokens_per_second", "", true},
    Figure{"peak-memory", "Peak memory", "GiB", &RunData::timings, "peak_memory_gib"},
};

/// What the names of a seed group's runs begin with.
std::string group_name(std::span<const RunData> runs, const std::vector<size_t>& members) {
  std::string name = runs[members[0]].name;
  if (members.size() == 1) return name;
  for (const size_t i : members) {
    const std::string& other = runs[i].name;
    name.resize(
        static_cast<size_t>(std::mismatch(name.begin(), name.end(), other.begin(), other.end()).first - name.begin()));
  }
  name.resize(name.find_last_not_of("-_. ") + 1);
  return name.empty() ? runs[members[0]].name : name;
}

/// One run's values of a figure.
struct Curve {
  std::vector<int64_t> steps;
  std::vector<double> y, errors;  // errors: NaN where there is none
};

Curve curve_of(const RunData& run, const Figure& figure, double smoothing) {
  const StepTable& table = run.*figure.table;
  const auto *column = table.find(figure.column), *errors = table.find(figure.error);
  Curve curve;
  if (column == nullptr) return curve;
  for (size_t i = 0; i < table.steps.size(); ++i) {
    if (!column->values[i]) continue;
    curve.steps.push_back(table.steps[i]);
    curve.y.push_back(*column->values[i]);
    curve.errors.push_back(errors == nullptr ? std::nan("") : errors->values[i].value_or(std::nan("")));
  }
  if (figure.scatters) curve.y = smoothed(curve.y, smoothing);
  return curve;
}

SvgSeries series_of(const std::vector<Curve>& seeds, const Figure& figure) {
  SvgSeries series;
  series.marks = figure.table == &RunData::evaluations;
  if (seeds.empty()) return series;
  std::map<int64_t, std::vector<double>> by_step;
  for (const Curve& seed : seeds)
    for (size_t i = 0; i < seed.steps.size(); ++i) by_step[seed.steps[i]].push_back(seed.y[i]);
  const bool banded = seeds.size() > 1 || *figure.error != '\0';
  for (size_t i = 0; i < seeds[0].steps.size(); ++i) {
    const int64_t step = seeds[0].steps[i];
    const std::vector<double>& y = by_step[step];
    if (y.size() < seeds.size()) continue;
    const double mean = std::accumulate(y.begin(), y.end(), 0.0) / static_cast<double>(y.size());
    series.x.push_back(static_cast<double>(step));
    series.y.push_back(mean);
    if (!banded) continue;
    const double margin = kInterval * seeds[0].errors[i];
    series.low.push_back(seeds.size() > 1 ? *std::min_element(y.begin(), y.end()) : mean - margin);
    series.high.push_back(seeds.size() > 1 ? *std::max_element(y.begin(), y.end()) : mean + margin);
  }
  return series;
}

}  // namespace

std::vector<std::vector<size_t>> seed_groups(std::span<const RunData> runs) {
  std::vector<std::vector<size_t>> groups;
  std::vector<OrderedJson> configs;
  for (size_t i = 0; i < runs.size(); ++i) {
    OrderedJson config = runs[i].config;
    for (const char* key : {"run.seed", "run.output"}) config.erase(key);
    const auto same = std::find(configs.begin(), configs.end(), config);
    if (config.empty() || same == configs.end()) {
      configs.push_back(std::move(config));
      groups.push_back({i});
    } else {
      groups[static_cast<size_t>(same - configs.begin())].push_back(i);
    }
  }
  return groups;
}

std::vector<double> smoothed(const std::vector<double>& values, double weight) {
  std::vector<double> result;
  double sum = 0, mass = 0;
  for (const double value : values) {
    sum = weight * sum + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    result.push_back(sum / mass);
  }
  return result;
}

void export_svg(std::span<const RunData> runs, const Path& folder, double smoothing) {
  std::filesystem::create_directories(folder);
  const auto groups = seed_groups(runs);
  for (const Figure& figure : kFigures) {
    SvgPlot plot = {.title = figure.title, .x_label = "step", .y_label = figure.unit, .series = {}};
    if (figure.scatters && smoothing > 0) plot.y_label += " (smoothed)";
    for (size_t group = 0; group < groups.size(); ++group) {
      std::vector<Curve> seeds;
      for (const size_t i : groups[group])
        if (Curve curve = curve_of(runs[i], figure, smoothing); !curve.steps.empty()) seeds.push_back(std::move(curve));
      SvgSeries series = series_of(seeds, figure);
      series.name = group_name(runs, groups[group]);
      series.color = group;
      if (!series.x.empty()) plot.series.push_back(std::move(series));
    }
    if (!plot.series.empty()) write_atomically(folder / fmt::format("{}.svg", figure.file), svg_text(plot));
  }
}

}  // namespace agro
