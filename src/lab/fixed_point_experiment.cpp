#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lab/descent.h"
#include "lab/flow.h"
#include "lab/foil.h"
#include "lab/laboratory.h"
#include "objective/registry.h"
#include "report/format.h"

namespace agro {
namespace {

constexpr double kRounding = 1e-16;      // ratios below are shown as this
constexpr double kPlottedFloor = 1e-12;  // and in figures as this
constexpr size_t kRecordEvery = 10;

struct Instances {
  std::vector<TabularProblem> problems;
  std::vector<std::vector<Vector>> other_models;  // [problem][prompt]
};

Instances random_instances(const LabOptions& options, double beta) {
  Instances all;
  for (size_t i = 0; i < options.instances; ++i) {
    all.problems.push_back(
        random_problem({.prompts = options.prompts, .responses = options.responses, .beta = beta}, options.seed, i));
    auto& models = all.other_models.emplace_back();
    for (size_t x = 0; x < options.prompts; ++x)
      models.push_back(random_logprobs(options.responses, options.seed, i * options.prompts + x));
  }
  return all;
}

std::string law_name(Law law) { return law == Law::kAgro ? "agro" : "foil"; }

/// Ratios KL(π‖π*) / KL(π_0‖π*) of all instances along the way.
struct Curve {
  std::vector<std::vector<double>> ratios;  // [records][instances]
  size_t diverged = 0;                      // instances with a prompt whose flow ran to the boundary
};

Curve flow_curve(Law law, Source source, const Instances& instances, const Vector& times) {
  Curve curve;
  curve.ratios.resize(times.size());
  for (size_t i = 0; i < instances.problems.size(); ++i) {
    const TabularProblem& problem = instances.problems[i];
    std::vector<Flow> flows;
    std::vector<Vector> start;
    for (size_t x = 0; x < problem.size(); ++x) {
      const Behavior behavior(source, problem[x], instances.other_models[i][x]);
      flows.push_back(gradient_flow(law, problem[x], behavior, times));
      start.push_back(problem[x].ref_logprobs);
    }
    curve.diverged += std::any_of(flows.begin(), flows.end(), [](const Flow& flow) { return flow.diverged; });
    for (size_t t = 0; t < times.size(); ++t) {
      std::vector<Vector> now;
      for (const Flow& flow : flows) now.push_back(flow.logprobs[t]);
      const double ratio = divergence_from_optimum(problem, now) / divergence_from_optimum(problem, start);
      curve.ratios[t].push_back(std::max(ratio, kRounding));
    }
  }
  return curve;
}

SvgSeries plotted_series(const std::string& name, const Vector& x, const Curve& curve) {
  SvgSeries series = median_series(name, x, curve.ratios);
  for (auto* values : {&series.y, &series.low, &series.high})
    for (double& value : *values) value = std::max(value, kPlottedFloor);
  return series;
}

void add_curve(LabSheet& sheet, const std::string& name, Source source, const Vector& x, const Curve& curve) {
  for (size_t t = 0; t < x.size(); ++t)
    sheet.rows.push_back(
        {name, std::string(name_of(source)), fmt::format("{}", x[t]), fmt::format("{}", quantile(curve.ratios[t], 0.5)),
         fmt::format("{}", quantile(curve.ratios[t], 0.25)), fmt::format("{}", quantile(curve.ratios[t], 0.75))});
}

void run_flows(const LabOptions& options, const Instances& instances, LabResult& result) {
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
  for (const Law law : {Law::kAgro, Law::kFoil})
    for (const Source source : kSources) {
      const Curve curve = flow_curve(law, source, instances, times);
      add_curve(curves, law_name(law), source, times, curve);
      const auto& end = curve.ratios.back();
      const auto reached = std::count_if(end.begin(), end.end(), [](double ratio) { return ratio < 1e-6; });
      ends.rows.push_back({law_name(law), std::string(name_of(source)), short_number(quantile(end, 0.5)),
                           short_number(quantile(end, 0.25)), short_number(quantile(end, 0.75)),
                           short_number(quantile(end, 1)), fmt::format("{}/{}", reached, end.size()),
                           fmt::format("{}/{}", curve.diverged, end.size())});
      SvgSeries series = plotted_series(fmt::format("{}, {}", law_name(law), name_of(source)), times, curve);
      series.low.clear();
      series.high.clear();
      series.color = static_cast<size_t>(source) + (law == Law::kFoil ? 7 : 0);  // the palette's second round is dashed
      plot.series.push_back(std::move(series));
    }
  result.text += fmt::format(
      "Gradient flow with exact gradients from π_ref, {} instances, β = {}: KL(π‖π*) / KL(π₀‖π*) at time {:g}\n\n{}\n",
      options.instances, options.beta, times.back(), table_text(ends));
  result.sheets.push_back(std::move(curves));
  result.sheets.push_back(std::move(ends));
  result.figures.push_back({"lab-fixed-point-flow", std::move(plot)});
}

void run_descents(const LabOptions& options, const Instances& instances, LabResult& result) {
  LabSheet curves = {
      "lab-fixed-point-sampled", {"objective", "data", "step", "median", "lower_quartile", "upper_quartile"}, {}};
  LabSheet ends = {"lab-fixed-point-sampled-end", {"objective"}, {}};
  std::vector<SvgPlot> plots;
  Vector steps;
  for (size_t step = 0; step <= options.steps; step += kRecordEvery) steps.push_back(static_cast<double>(step));
  for (const Source source : kSources) {
    ends.columns.emplace_back(name_of(source));
    plots.push_back({.title = fmt::format("Sampled groups of {}, data: {}, β = {}", options.group_size, name_of(source),
                                          options.beta),
                     .x_label = "step",
                     .y_label = "KL(π‖π*) / KL(π₀‖π*)",
                     .series = {},
                     .log_y = true});
  }
  const bool chosen = !options.objectives.empty();
  const std::vector<std::string> plotted = chosen ? options.objectives : representative_objectives();
  for (const std::string& name : chosen ? options.objectives : usable_objectives()) {
    const auto objective = laboratory_objective(name, options.beta);
    std::vector<std::string> row = {name};
    for (const Source source : kSources) {
      Curve curve;
      curve.ratios = stochastic_descent(*objective, instances.problems, source, instances.other_models,
                                        {.group_size = options.group_size,
                                         .steps = options.steps,
                                         .learning_rate = options.learning_rate,
                                         .record_every = kRecordEvery,
                                         .seed = options.seed});
      for (auto& ratios : curve.ratios)
        for (double& ratio : ratios) ratio = std::max(ratio, kRounding);
      add_curve(curves, name, source, steps, curve);
      const auto& end = curve.ratios.back();
      row.push_back(fmt::format("{:.2g} ({:.0e})", quantile(end, 0.5), quantile(end, 0.75)));
      if (std::find(plotted.begin(), plotted.end(), name) != plotted.end())
        plots[static_cast<size_t>(source)].series.push_back(plotted_series(name, steps, curve));
    }
    ends.rows.push_back(std::move(row));
  }
  result.text += fmt::format(
      "Descent on sampled groups of {}, {} steps, learning rate {}: the same ratio at the end, median (upper "
      "quartile)\n"
      "\n{}\n",
      options.group_size, options.steps, options.learning_rate, table_text(ends));
  result.sheets.push_back(std::move(curves));
  result.sheets.push_back(std::move(ends));
  for (const Source source : kSources) {
    std::string name(name_of(source));
    std::replace(name.begin(), name.end(), ' ', '-');
    result.figures.push_back({"lab-fixed-point-" + name, std::move(plots[static_cast<size_t>(source)])});
  }
}

/// Every prompt is an instance of the foil.
std::vector<std::string> classify(Source source, const Instances& instances, double beta) {
  const Vector end = {1e10};
  size_t count = 0, diverged = 0, predicted = 0;
  double residual = 0, distance = 0, nearest = HUGE_VAL;
  for (size_t i = 0; i < instances.problems.size(); ++i)
    for (size_t x = 0; x < instances.problems[i].size(); ++x) {
      const TabularPrompt& prompt = instances.problems[i][x];
      const Behavior behavior(source, prompt, instances.other_models[i][x]);
      const Vector mu = behavior.probabilities(prompt.ref_logprobs), optimum = optimal_logprobs(prompt);
      const Flow flow = gradient_flow(Law::kFoil, prompt, behavior, end);
      const Vector& rest = flow.logprobs.back();
      const std::optional<Vector> fixed_point = foil_fixed_point(prompt, mu);
      ++count;
      diverged += flow.diverged;
      predicted += flow.diverged == !fixed_point.has_value();
      nearest = std::min(nearest, kl_divergence(rest, optimum) / kl_divergence(prompt.ref_logprobs, optimum));
      if (flow.diverged) continue;
      residual = std::max(residual, foil_residual(prompt, rest, mu));
      if (!fixed_point) continue;
      for (size_t y = 0; y < rest.size(); ++y)
        distance = std::max(distance, std::abs(std::exp(rest[y]) - std::exp((*fixed_point)[y])));
    }
  const bool any_interior = diverged < count;
  return {short_number(beta),
          std::string(name_of(source)),
          std::to_string(count),
          std::to_string(count - diverged),
          std::to_string(diverged),
          fmt::format("{}/{}", predicted, count),
          any_interior ? fmt::format("{:.0e}", residual) : "",
          any_interior ? fmt::format("{:.0e}", distance) : "",
          fmt::format("{:.2g}", nearest)};
}

void classify_foils(const LabOptions& options, LabResult& result) {
  LabSheet sheet = {"lab-fixed-point-foil",
                    {"β", "data", "prompts", "interior", "diverged", "as predicted", "residual", "distance", "nearest"},
                    {}};
  std::vector<double> betas = {0.1, 0.2, 0.5, 1, 2};
  if (std::find(betas.begin(), betas.end(), options.beta) == betas.end()) betas.push_back(options.beta);
  std::sort(betas.begin(), betas.end());
  for (const double beta : betas) {
    const Instances instances = random_instances(options, beta);
    for (const Source source : kSources)
      if (is_fixed(source)) sheet.rows.push_back(classify(source, instances, beta));
  }
  result.text += fmt::format(
      "Every foil instance, by flow from π_ref: at rest in the interior or diverged, and whether the fixed-point\n"
      "equation, solved without descent, predicts it. residual: of that equation; distance: of the probabilities from\n"
      "its solution; nearest: the smallest KL(π‖π*) / KL(π₀‖π*) any prompt ends with\n\n{}",
      table_text(sheet));
  result.sheets.push_back(std::move(sheet));
}

}  // namespace

LabResult fixed_point_experiment(const LabOptions& options) {
  check(options);
  const Instances instances = random_instances(options, options.beta);
  LabResult result;
  run_flows(options, instances, result);
  run_descents(options, instances, result);
  classify_foils(options, result);
  return result;
}

}  // namespace agro
