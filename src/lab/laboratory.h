#pragma once
// The experiments of `agro lab`: each is a function of its options and gives a text, sheets of numbers and figures.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/file.h"
#include "report/svg_plot.h"
#include "report/table.h"

namespace agro {

struct LabOptions {
  uint64_t seed = 0;
  size_t instances = 20;  // random problems
  double beta = 0.5;
  size_t prompts = 3, responses = 10;                           // of each problem
  size_t group_size = 8;                                        // sampled responses of a prompt
  size_t steps = 600;                                           // of sampled descent
  double learning_rate = 2;                                     // of sampled descent
  std::vector<std::string> objectives = {};                     // to compare; empty: the laboratory's choice
  std::function<void(const std::string& doing)> progress = {};  // told what comes next, where it takes long
};

struct LabSheet {
  std::string name;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

struct LabFigure {
  std::string name;
  SvgPlot plot;
};

struct LabResult {
  std::string text;  // tables with a sentence before each
  std::vector<LabSheet> sheets;
  std::vector<LabFigure> figures;
};

/// KL(π‖π*) / KL(π_0‖π*) over time for AGRO and others, under every behaviour distribution: exact flow and sampled
/// descent; and every foil instance classified.
LabResult fixed_point_experiment(const LabOptions& options);

/// Bias and variance of the objectives' gradients as groups grow.
LabResult gradient_experiment(const LabOptions& options);

/// Sequence credit against token credit (A10) on autoregressive tables, on the way from π_ref to π*.
LabResult sequence_experiment(const LabOptions& options);

/// Where the minimiser moves when groups are selected from what was drawn.
LabResult selection_experiment(const LabOptions& options);

/// The estimated optimality gap (A12) against the true one.
LabResult gap_experiment(const LabOptions& options);

/// What the loss sees of a common shift of all stored responses (spec §9).
LabResult leak_experiment(const LabOptions& options);

/// Throws Error where an option is out of range: at least 1 instance and prompt, 2 responses, groups of 2, β > 0.
void check(const LabOptions& options);

/// The options' β among others, ascending.
std::vector<double> with_own_beta(std::vector<double> betas, const LabOptions& options);

/// Calls options.progress, if there is one.
void tell(const LabOptions& options, const std::string& doing);

/// Makes a folder for results, or throws Error where that cannot be or nothing can be written there; "" is left alone.
void prepare_folder(const Path& folder);

/// NAME.csv for each sheet, NAME.svg for each figure. The folders are made; "" leaves them out.
void write_result(const LabResult& result, const Path& csv_folder, const Path& svg_folder);

/// Quantile of values (share 0.5: the median), interpolated; infinite values count as such.
double quantile(std::vector<double> values, double share);

/// A sheet's rows as a table for the screen, first column set left.
std::string table_text(const LabSheet& sheet);

/// A line through the medians of samples[i] at x[i], with a band between the quartiles.
SvgSeries median_series(const std::string& name, const std::vector<double>& x,
                        const std::vector<std::vector<double>>& samples);

/// The series with nothing of it below `floor`, for logarithmic axes: what is zero to rounding would stretch them.
SvgSeries floored(SvgSeries series, double floor);

}  // namespace agro
