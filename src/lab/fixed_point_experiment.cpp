#include <fmt/format.h>

#include <algorithm>

#include "lab/fixed_point.h"
#include "lab/sampled.h"
#include "objective/registry.h"

namespace agro {
namespace {

constexpr double kRounding = 1e-16;      // ratios below are shown as this
constexpr double kPlottedFloor = 1e-12;  // and in figures as this

}  // namespace

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

void add_curve(LabSheet& sheet, const std::string& name, Source source, const Vector& x, const RatioCurve& curve) {
  for (size_t t = 0; t < x.size(); ++t) {
    std::vector<std::string> row = {name, std::string(name_of(source)), fmt::format("{}", x[t])};
    for (const double share : {0.5, 0.25, 0.75})
      row.push_back(fmt::format("{}", std::max(quantile(curve.ratios[t], share), kRounding)));
    sheet.rows.push_back(std::move(row));
  }
}

SvgSeries plotted_series(const std::string& name, const Vector& x, const RatioCurve& curve) {
  return floored(median_series(name, x, curve.ratios), kPlottedFloor);
}

LabResult fixed_point_experiment(const LabOptions& options) {
  check(options);
  std::vector<std::unique_ptr<Objective>> objectives;
  for (const std::string& name : options.objectives.empty() ? objective_names() : options.objectives)
    objectives.push_back(laboratory_objective(name, options.beta));
  const Instances instances = random_instances(options, options.beta);
  LabResult result;
  std::string found = run_flows(options, instances, result);
  found += run_descents(options, instances, objectives, result);
  found += classify_foils(options, result);
  found += classify_through_sampling(options, result);
  result.text += "In short\n" + found;
  return result;
}

}  // namespace agro
