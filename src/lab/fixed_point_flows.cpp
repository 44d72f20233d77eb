#include <fmt/format.h>

#include <algorithm>

#include "core/parallel.h"
#include "lab/descent.h"
#include "lab/fixed_point.h"
#include "lab/flow.h"
#include "report/format.h"

namespace agro {
namespace {

constexpr double kReached = 1e-6;
constexpr double kRounding = 1e-16;

std::string_view name_of(Law law) {
  return law == Law::kAgro ? "agro" : law == Law::kFoil ? "kl_policy_gradient" : "agro, through sampling";
}

RatioCurve flow_curve(Law law, Source source, const Instances& instances, const Vector& times) {
  const size_t count = instances.problems.size();
  RatioCurve curve;
  curve.ratios.assign(times.size(), Vector(count));
  std::vector<char> diverged(count);
  parallel_for(static_cast<int64_t>(count), [&](int64_t instance) {
    const auto i = static_cast<size_t>(instance);
    const TabularProblem& problem = instances.problems[i];
    std::vector<Flow> flows;
    std::vector<Vector> start;
    for (size_t x = 0; x < problem.size(); ++x) {
      const Behavior behavior(source, problem[x], instances.other_models[i][x]);
      flows.push_back(gradient_flow(law, problem[x], behavior, times));
      start.push_back(problem[x].ref_logprobs);
      diverged[i] |= static_cast<char>(flows.back().diverged);
    }
    for (size_t t = 0; t < times.size(); ++t) {
      std::vector<Vector> now;
      for (const Flow& flow : flows) now.push_back(flow.logprobs[t]);
      const double ratio = divergence_from_optimum(problem, now) / divergence_from_optimum(problem, start);
      curve.ratios[t][i] = std::max(ratio, kRounding);
    }
  });
  curve.diverged = static_cast<size_t>(std::count(diverged.begin(), diverged.end(), 1));
  return curve;
}

size_t count_reached(const Vector& ratios) {
  return static_cast<size_t>(
      std::count_if(ratios.begin(), ratios.end(), [](double ratio) { return ratio < kReached; }));
}

}  // namespace

std::string run_flows(const LabOptions& options, const Instances& instances, LabResult& result) {
  const Vector times = log_spaced(0.1, 1e10, 89);
  LabSheet curves = {
      "lab-fixed-point-flow", {"objective", "data", "time", "median", "lower_quartile", "upper_quartile"}, {}};
  LabSheet ends = {
      "lab-fixed-point-flow-end",
      {"objective", "data", "median", "lower quartile", "upper quartile", "largest", "below 1e-6", "diverged"},
      {}};
  SvgPlot plot = {.title = fmt::format("Gradient flow: distance from the optimum, β = {}", options.beta),
                  .x_label = "time (steps × learning rate)",
                  .y_label = "KL(π‖π*) / KL(π₀‖π*)",
                  .series = {},
                  .log_x = true,
                  .log_y = true};
  size_t agro_reached = 0, agro_flows = 0;
  for (const Law law : {Law::kAgro, Law::kThroughSampling, Law::kFoil})
    for (const Source source : kSources) {
      if (law == Law::kThroughSampling && source != Source::kPolicy) continue;
      const std::string name(name_of(law)), data(agro::name_of(source));
      tell(options, fmt::format("flow of {}, data: {}", name, data));
      const RatioCurve curve = flow_curve(law, source, instances, times);
      add_curve(curves, name, source, times, curve);
      const Vector& end = curve.ratios.back();
      const size_t reached = count_reached(end);
      if (law == Law::kAgro) {
        agro_reached += reached;
        agro_flows += end.size();
      }
      ends.rows.push_back({name, data, short_number(quantile(end, 0.5)), short_number(quantile(end, 0.25)),
                           short_number(quantile(end, 0.75)), short_number(quantile(end, 1)),
                           fmt::format("{}/{}", reached, end.size()),
                           fmt::format("{}/{}", curve.diverged, end.size())});
      if (law == Law::kThroughSampling) continue;
      SvgSeries series = plotted_series(fmt::format("{}, {}", name, data), times, curve);
      series.low.clear();
      series.high.clear();
      series.color = static_cast<size_t>(source) + (law == Law::kFoil ? 7 : 0);  // the palette's second round is dashed
      plot.series.push_back(std::move(series));
    }
  result.text += fmt::format(
      "Gradient flow with exact gradients from π_ref, {} instances of {} prompts each, β = {}:\n"
      "KL(π‖π*) / KL(π₀‖π*) at time {:g}, sums over an instance's prompts; diverged: instances with a prompt that did\n"
      "\n{}\n",
      options.instances, options.prompts, options.beta, times.back(), table_text(ends));
  result.sheets.push_back(std::move(curves));
  result.sheets.push_back(std::move(ends));
  result.figures.push_back({"lab-fixed-point-flow", std::move(plot)});
  return fmt::format("  agro: {} of {} exact flows end below {:g} of the start, from {} kinds of data\n", agro_reached,
                     agro_flows, kReached, kSources.size());
}

}  // namespace agro
