#include <fmt/format.h>

#include <array>
#include <cmath>

#include "lab/laboratory.h"
#include "lab/selection.h"

namespace agro {
namespace {

constexpr std::array kSelections = {Selection::kFirst, Selection::kFixedCounts, Selection::kLargestResidual,
                                    Selection::kBestAndWorst, Selection::kBest};
constexpr std::array kNoises = {0.0, 0.1, 0.2, 0.3, 0.5};
constexpr double kPlottedFloor = 1e-8;  // far below the sampling error

}  // namespace

LabResult selection_experiment(const LabOptions& options) {
  check(options);
  LabSheet all = {"lab-selection", {"selection", "noise", "median", "lower_quartile", "upper_quartile"}, {}};
  LabSheet shown = {"", {"selection"}, {}};
  for (const double noise : kNoises) shown.columns.push_back(fmt::format("σ = {}", noise));
  SvgPlot plot = {.title = fmt::format("Where descent rests when groups are selected, β = {}", options.beta),
                  .x_label = "standard deviation σ of the reward's noise",
                  .y_label = "KL(π‖π*) at rest, nats",
                  .series = {},
                  .log_y = true};
  std::vector<double> start;
  for (const Selection selection : kSelections) {
    std::vector<std::vector<double>> samples;
    std::vector<std::string> row = {std::string(name_of(selection))};
    for (const double noise : kNoises) {
      auto& values = samples.emplace_back();
      for (size_t i = 0; i < options.instances; ++i) {
        const TabularPrompt prompt = random_problem({1, options.responses, options.beta}, options.seed, i)[0];
        const Vector optimum = optimal_logprobs(prompt);
        const Vector rest = selected_rest_point(prompt, random_logprobs(options.responses, options.seed, i),
                                                {.selection = selection, .noise = noise},
                                                Random(options.seed, Random::Purpose::kDraws, i));
        values.push_back(std::abs(kl_divergence(rest, optimum)));  // zero to rounding, of either sign
        if (selection == kSelections[0] && noise == 0) start.push_back(kl_divergence(prompt.ref_logprobs, optimum));
      }
      row.push_back(fmt::format("{:.2g}", quantile(values, 0.5)));
      all.rows.push_back({row[0], fmt::format("{}", noise), fmt::format("{}", quantile(values, 0.5)),
                          fmt::format("{}", quantile(values, 0.25)), fmt::format("{}", quantile(values, 0.75))});
    }
    plot.series.push_back(floored(median_series(row[0], {kNoises.begin(), kNoises.end()}, samples), kPlottedFloor));
    shown.rows.push_back(std::move(row));
  }
  const SelectionSetup setup;
  LabResult result;
  result.text = fmt::format(
      "KL(π‖π*) of the policy at which the gradient of selected groups vanishes, {} of {} draws from π_ref, {} "
      "groups;\n"
      "noise of standard deviation σ on every reward; medians over {} prompts, β = {} (π_ref itself: {:.2g})\n\n{}",
      setup.group_size, setup.pool, setup.groups, options.instances, options.beta, quantile(start, 0.5),
      table_text(shown));
  result.sheets.push_back(std::move(all));
  result.figures.push_back({"lab-selection", std::move(plot)});
  return result;
}

}  // namespace agro
