#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "lab/behavior.h"
#include "lab/exact_gradient.h"
#include "lab/laboratory.h"
#include "lab/sampled.h"
#include "objective/agro.h"
#include "report/format.h"

namespace agro {
namespace {

constexpr size_t kDraws = 1000;  // groups for each prompt and n
constexpr std::array<size_t, 6> kGroupSizes = {2, 4, 8, 16, 32, 64};

/// What an estimator is held against.
enum class Target { kConsistency, kThroughSampling, kFoil, kObjective };

struct Estimator {
  std::string name;
  std::unique_ptr<Objective> objective;
  Target target = Target::kObjective;
  bool on_policy_only = false;
};

std::string_view name_of(Target target) {
  switch (target) {
    case Target::kConsistency:
      return "A5/β";
    case Target::kThroughSampling:
      return "A9/β";
    case Target::kFoil:
      return "A11";
    case Target::kObjective:
      return "-∇J";
  }
  return "";
}

std::vector<Estimator> estimators(const LabOptions& options) {
  std::vector<Estimator> all;
  for (const std::string& name : options.objectives.empty() ? representative_objectives() : options.objectives) {
    const Target target = name == "agro"                 ? Target::kConsistency
                          : name == "kl_policy_gradient" ? Target::kFoil
                                                         : Target::kObjective;
    all.push_back({name, laboratory_objective(name, options.beta), target});
    if (name == "agro")
      all.push_back({"agro, through sampling", make_agro({.beta = options.beta, .through_sampling = true}),
                     Target::kThroughSampling, true});
  }
  return all;
}

Vector exact_gradient(Target target, const SampledPrompt& at) {
  if (target == Target::kFoil) return foil_gradient(*at.prompt, at.logprobs, at.mu);
  Vector gradient = target == Target::kConsistency       ? consistency_gradient(*at.prompt, at.logprobs, at.mu)
                    : target == Target::kThroughSampling ? through_sampling_gradient(*at.prompt, at.logprobs)
                                                         : objective_gradient(*at.prompt, at.logprobs);
  for (double& x : gradient) x /= target == Target::kObjective ? -1 : at.prompt->beta;
  return gradient;
}

double dot(const Vector& a, const Vector& b) { return weighted_mean(a, b); }

/// Of one prompt's estimates, relative to the length of the exact gradient.
struct Figures {
  double bias = 0, bias_error = 0, deviation = 0;
  double cosine = 0;  // of the mean estimate with -∇J
};

Figures figures_of(std::span<const Vector> estimates, const Vector& exact, const Vector& uphill) {
  const auto count = static_cast<double>(estimates.size());
  Vector mean(exact.size()), departure(exact.size());
  for (const Vector& estimate : estimates)
    for (size_t y = 0; y < mean.size(); ++y) mean[y] += estimate[y] / count;
  double variance = 0;
  for (const Vector& estimate : estimates)
    for (size_t y = 0; y < mean.size(); ++y) variance += std::pow(estimate[y] - mean[y], 2) / (count - 1);
  for (size_t y = 0; y < mean.size(); ++y) departure[y] = mean[y] - exact[y];
  const double length = std::sqrt(dot(exact, exact));
  return {.bias = std::sqrt(dot(departure, departure)) / length,
          .bias_error = std::sqrt(variance / count) / length,
          .deviation = std::sqrt(variance) / length,
          .cosine = -dot(mean, uphill) / std::sqrt(dot(mean, mean) * dot(uphill, uphill))};
}

/// A policy that is on no particular path: half way to the optimum, then pushed aside.
Vector some_policy(const TabularPrompt& prompt, uint64_t seed, size_t index) {
  Vector logits = logprobs_on_the_way(prompt, 0.5);
  const Vector aside = random_logprobs(logits.size(), seed, index);
  for (size_t y = 0; y < logits.size(); ++y) logits[y] += aside[y] / 2;
  return log_softmax(logits);
}

struct Medians {
  std::vector<Figures> prompts;
  double of(double Figures::*figure) const {
    std::vector<double> values;
    for (const Figures& f : prompts) values.push_back(f.*figure);
    return quantile(values, 0.5);
  }
};

Medians measure(const Estimator& estimator, std::span<const SampledPrompt> prompts, size_t n, bool on_policy,
                uint64_t seed) {
  std::vector<SampledPrompt> copies;
  for (const SampledPrompt& at : prompts) copies.insert(copies.end(), kDraws, at);
  Random random(seed, Random::Purpose::kDraws, n);
  const std::vector<Vector> estimates = sampled_gradients(*estimator.objective, copies, n, on_policy, random);
  Medians result;
  for (size_t p = 0; p < prompts.size(); ++p)
    result.prompts.push_back(figures_of(std::span(estimates).subspan(p * kDraws, kDraws),
                                        exact_gradient(estimator.target, prompts[p]),
                                        objective_gradient(*prompts[p].prompt, prompts[p].logprobs)));
  return result;
}

}  // namespace

LabResult gradient_experiment(const LabOptions& options) {
  check(options);
  std::vector<TabularProblem> problems;
  for (size_t i = 0; i < options.instances; ++i)
    problems.push_back(
        random_problem({.prompts = 1, .responses = options.responses, .beta = options.beta}, options.seed, i));
  LabSheet all = {
      "lab-gradient", {"objective", "data", "n", "target", "bias", "bias_standard_error", "deviation", "cosine"}, {}};
  LabSheet shown = {
      "", {"objective", "data", "target", "bias n=2", "n=8", "n=64", "±", "spread n=2", "n=8", "n=64", "cosine"}, {}};
  LabResult result;
  const auto all_estimators = estimators(options);
  for (const Source source : {Source::kPolicy, Source::kReference}) {
    const std::string data(agro::name_of(source));
    std::vector<SampledPrompt> prompts;
    for (size_t i = 0; i < problems.size(); ++i) {
      const TabularPrompt& prompt = problems[i][0];
      const Vector policy = some_policy(prompt, options.seed, i);
      prompts.push_back({&prompt, policy, Behavior(source, prompt, policy).probabilities(policy)});
    }
    SvgPlot bias = {.title = fmt::format("Bias of the gradient, data: {}, β = {}", data, options.beta),
                    .x_label = "group size n",
                    .y_label = "‖mean - exact‖ / ‖exact‖",
                    .series = {},
                    .log_x = true,
                    .log_y = true};
    SvgPlot deviation = bias;
    deviation.title = fmt::format("Spread of the gradient, data: {}, β = {}", data, options.beta);
    deviation.y_label = "standard deviation / ‖exact‖";
    for (const Estimator& estimator : all_estimators) {
      if (estimator.on_policy_only && source != Source::kPolicy) continue;
      SvgSeries bias_line, deviation_line;
      bias_line.name = deviation_line.name = estimator.name;
      bias_line.marks = deviation_line.marks = true;
      std::vector<std::string> row = {estimator.name, data, std::string(name_of(estimator.target))};
      std::vector<std::string> spread;
      std::string error, cosine;
      for (const size_t n : kGroupSizes) {
        const Medians medians = measure(estimator, prompts, n, source == Source::kPolicy, options.seed);
        all.rows.push_back(
            {estimator.name, data, std::to_string(n), std::string(name_of(estimator.target)),
             fmt::format("{}", medians.of(&Figures::bias)), fmt::format("{}", medians.of(&Figures::bias_error)),
             fmt::format("{}", medians.of(&Figures::deviation)), fmt::format("{}", medians.of(&Figures::cosine))});
        bias_line.x.push_back(static_cast<double>(n));
        bias_line.y.push_back(medians.of(&Figures::bias));
        deviation_line.x.push_back(static_cast<double>(n));
        deviation_line.y.push_back(medians.of(&Figures::deviation));
        if (n != 2 && n != 8 && n != 64) continue;
        row.push_back(fmt::format("{:.3f}", medians.of(&Figures::bias)));
        spread.push_back(fmt::format("{:.2f}", medians.of(&Figures::deviation)));
        error = fmt::format("{:.3f}", medians.of(&Figures::bias_error));
        cosine = fmt::format("{:.3f}", medians.of(&Figures::cosine));
      }
      row.push_back(error);
      row.insert(row.end(), spread.begin(), spread.end());
      row.push_back(cosine);
      shown.rows.push_back(std::move(row));
      bias.series.push_back(std::move(bias_line));
      deviation.series.push_back(std::move(deviation_line));
    }
    result.figures.push_back({"lab-gradient-bias-" + data, std::move(bias)});
    result.figures.push_back({"lab-gradient-spread-" + data, std::move(deviation)});
  }
  result.text = fmt::format(
      "Gradients from groups of n against the exact ones, medians over {} prompts, {} groups each, β = {}.\n"
      "bias: ‖mean - target‖ / ‖target‖, of which ± is what sampling error alone gives at n = 64;\n"
      "spread: standard deviation of one group's gradient / ‖target‖; cosine: of the mean with -∇J, at n = 64\n\n{}",
      options.instances, kDraws, options.beta, table_text(shown));
  result.sheets.push_back(std::move(all));
  return result;
}

}  // namespace agro
