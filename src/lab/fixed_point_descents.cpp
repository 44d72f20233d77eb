#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "lab/descent.h"
#include "lab/fixed_point.h"
#include "lab/sampled.h"

namespace agro {
namespace {

std::vector<SvgPlot> empty_plots(const LabOptions& options) {
  std::vector<SvgPlot> plots;
  for (const Source source : kSources)
    plots.push_back({.title = fmt::format("Sampled groups of {}, data: {}, β = {}", options.group_size, name_of(source),
                                          options.beta),
                     .x_label = "step",
                     .y_label = "KL(π‖π*) / KL(π₀‖π*)",
                     .series = {},
                     .log_y = true});
  return plots;
}

}  // namespace

std::string run_descents(const LabOptions& options, const Instances& instances,
                         std::span<const std::unique_ptr<Objective>> objectives, LabResult& result) {
  const DescentOptions descent_options = {.group_size = options.group_size,
                                          .steps = options.steps,
                                          .learning_rate = options.learning_rate,
                                          .seed = options.seed};
  const Vector steps = recorded_steps(descent_options);
  LabSheet curves = {
      "lab-fixed-point-sampled", {"objective", "data", "step", "median", "lower_quartile", "upper_quartile"}, {}};
  LabSheet ends = {"lab-fixed-point-sampled-end", {"objective"}, {}};
  for (const Source source : kSources) ends.columns.emplace_back(name_of(source));
  ends.columns.emplace_back("refused");
  std::vector<SvgPlot> plots = empty_plots(options);
  const std::vector<std::string> plotted =
      options.objectives.empty() ? representative_objectives() : options.objectives;
  for (const auto& objective : objectives) {
    const std::string name(objective->name());
    std::vector<std::string> row = {name};
    size_t refused = 0;
    tell(options, fmt::format("descent of {}", name));
    std::vector<std::future<Descent>> descents;
    for (const Source source : kSources)
      descents.push_back(std::async(std::launch::async, [&objective, &instances, &descent_options, source] {
        return stochastic_descent(*objective, instances.problems, source, instances.other_models, descent_options);
      }));
    for (size_t s = 0; s < kSources.size(); ++s) {
      Descent descent = descents[s].get();
      refused += descent.refused;
      const RatioCurve curve = {.ratios = std::move(descent.records)};
      add_curve(curves, name, kSources[s], steps, curve);
      const Vector& end = curve.ratios.back();
      row.push_back(fmt::format("{:.2g} ({:.2g})", quantile(end, 0.5), quantile(end, 0.75)));
      if (std::find(plotted.begin(), plotted.end(), name) != plotted.end())
        plots[s].series.push_back(plotted_series(name, steps, curve));
    }
    const auto taken = static_cast<double>(options.steps * options.instances * options.prompts * kSources.size());
    row.push_back(refused == 0 ? "0" : fmt::format("{:.2g} %", 100 * static_cast<double>(refused) / taken));
    ends.rows.push_back(std::move(row));
  }
  result.text += fmt::format(
      "Descent on sampled groups of {}, {} steps, learning rate {} (of a learned value: {}): the same ratio at the "
      "end,\n"
      "median (upper quartile) of {} instances. Pairs: two draws ordered by reward; astar_po: knows V*;\n"
      "kl_policy_gradient: with the exact KL. refused: steps that would have put a log-probability below -300\n\n{}\n",
      options.group_size, options.steps, options.learning_rate, descent_options.value_learning_rate, options.instances,
      table_text(ends));
  result.sheets.push_back(std::move(curves));
  result.sheets.push_back(std::move(ends));
  for (size_t s = 0; s < kSources.size(); ++s) {
    std::string name(name_of(kSources[s]));
    std::replace(name.begin(), name.end(), ' ', '-');
    result.figures.push_back({"lab-fixed-point-" + name, std::move(plots[s])});
  }
  return "";
}

}  // namespace agro
