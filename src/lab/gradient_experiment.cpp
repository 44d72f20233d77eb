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

/// What an objective estimates; those that estimate neither A5 nor A11 are held against the policy gradient.
Target target_of(const std::string& name) {
  constexpr std::array kConsistent = {"agro", "agro_value", "trajectory_balance", "copg", "dro"};
  if (std::find(kConsistent.begin(), kConsistent.end(), name) != kConsistent.end()) return Target::kConsistency;
  return name == "kl_policy_gradient" ? Target::kFoil : Target::kObjective;
}

std::vector<Estimator> estimators(const LabOptions& options) {
  std::vector<Estimator> all;
  for (const std::string& name : options.objectives.empty() ? representative_objectives() : options.objectives) {
    all.push_back({name, laboratory_objective(name, options.beta), target_of(name)});
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

/// Of one prompt's estimates. Objectives differ in the length of their gradients, by factors that a learning rate
/// absorbs: so bias and deviation are relative to the target times `scale`, the multiple of it that fits the mean best.
struct Figures {
  double scale = 0;
  double bias = 0, bias_error = 0, deviation = 0;
  double cosine = 0;  // of the mean estimate with -∇J
};

Figures figures_of(std::span<const SampledGradient> estimates, const Vector& exact, const Vector& uphill) {
  const auto count = static_cast<double>(estimates.size());
  Vector mean(exact.size()), departure(exact.size());
  for (const SampledGradient& estimate : estimates)
    for (size_t y = 0; y < mean.size(); ++y) mean[y] += estimate.logits[y] / count;
  double variance = 0;
  for (const SampledGradient& estimate : estimates)
    for (size_t y = 0; y < mean.size(); ++y) variance += std::pow(estimate.logits[y] - mean[y], 2) / (count - 1);
  const double scale = dot(mean, exact) / dot(exact, exact);
  for (size_t y = 0; y < mean.size(); ++y) departure[y] = mean[y] - scale * exact[y];
  const double length = std::abs(scale) * std::sqrt(dot(exact, exact));
  return {.scale = scale,
          .bias = std::sqrt(dot(departure, departure)) / length,
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

constexpr std::array<std::pair<const char*, double Figures::*>, 5> kColumns = {
    {{"scale", &Figures::scale},
     {"bias", &Figures::bias},
     {"bias_standard_error", &Figures::bias_error},
     {"deviation", &Figures::deviation},
     {"cosine", &Figures::cosine}}};

struct Measurement {
  std::vector<Figures> prompts;

  double of(double Figures::*figure, double share = 0.5) const {
    std::vector<double> values;
    for (const Figures& f : prompts) values.push_back(f.*figure);
    return quantile(values, share);
  }
};

Measurement measure(const Estimator& estimator, std::span<const SampledPrompt> prompts, size_t n, bool on_policy,
                    uint64_t seed) {
  std::vector<SampledPrompt> copies;
  for (const SampledPrompt& at : prompts) copies.insert(copies.end(), kDraws, at);
  Random random(seed, Random::Purpose::kDraws, n);
  const std::vector<SampledGradient> estimates = sampled_gradients(*estimator.objective, copies, n, on_policy, random);
  Measurement result;
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
  LabSheet all = {"lab-gradient", {"objective", "data", "n", "target"}, {}};
  for (const auto& [name, figure] : kColumns)
    for (const char* quantile_name : {"", "_lower_quartile", "_upper_quartile"})
      all.columns.push_back(std::string(name) + quantile_name);
  LabSheet shown = {
      "",
      {"objective", "data", "target", "scale", "bias n=2", "n=8", "n=64", "±", "spread n=2", "n=8", "n=64", "cosine"},
      {}};
  LabResult result;
  const auto all_estimators = estimators(options);
  for (const Source source : {Source::kPolicy, Source::kReference}) {
    const std::string data(agro::name_of(source));
    std::vector<SampledPrompt> prompts;
    for (size_t i = 0; i < problems.size(); ++i) {
      const TabularPrompt& prompt = problems[i][0];
      const Vector policy = some_policy(prompt, options.seed, i);
      const Vector mu = Behavior(source, prompt, policy).probabilities(policy);
      prompts.push_back({&prompt, policy, mu, weighted_mean(mu, regularized_rewards(prompt, policy))});
    }
    SvgPlot bias = {.title = fmt::format("Bias of the gradient, data: {}, β = {}", data, options.beta),
                    .x_label = "group size n",
                    .y_label = "‖mean - scale · target‖ / ‖scale · target‖",
                    .series = {},
                    .log_x = true,
                    .log_y = true};
    SvgPlot deviation = bias;
    deviation.title = fmt::format("Spread of the gradient, data: {}, β = {}", data, options.beta);
    deviation.y_label = "standard deviation / ‖scale · target‖";
    for (const Estimator& estimator : all_estimators) {
      if (estimator.on_policy_only && source != Source::kPolicy) continue;
      SvgSeries bias_line, deviation_line;
      bias_line.name = deviation_line.name = estimator.name;
      bias_line.marks = deviation_line.marks = true;
      std::vector<std::string> row = {estimator.name, data, std::string(name_of(estimator.target))};
      std::vector<std::string> biases, spread;
      std::string scale, error, cosine;
      for (const size_t n : kGroupSizes) {
        tell(options, fmt::format("gradients of {}, data: {}, n = {}", estimator.name, data, n));
        const Measurement found = measure(estimator, prompts, n, source == Source::kPolicy, options.seed);
        std::vector<std::string> cells = {estimator.name, data, std::to_string(n),
                                          std::string(name_of(estimator.target))};
        for (const auto& [name, figure] : kColumns)
          for (const double share : {0.5, 0.25, 0.75}) cells.push_back(fmt::format("{}", found.of(figure, share)));
        all.rows.push_back(std::move(cells));
        for (auto [line, figure] : {std::pair(&bias_line, &Figures::bias), {&deviation_line, &Figures::deviation}}) {
          line->x.push_back(static_cast<double>(n));
          line->y.push_back(found.of(figure));
          line->low.push_back(found.of(figure, 0.25));
          line->high.push_back(found.of(figure, 0.75));
        }
        if (n != 2 && n != 8 && n != 64) continue;
        biases.push_back(fmt::format("{:.3f}", found.of(&Figures::bias)));
        spread.push_back(fmt::format("{:.2f}", found.of(&Figures::deviation)));
        scale = fmt::format("{:.3g}", found.of(&Figures::scale));
        error = fmt::format("{:.3f}", found.of(&Figures::bias_error));
        cosine = fmt::format("{:.3f}", found.of(&Figures::cosine));
      }
      row.push_back(scale);
      row.insert(row.end(), biases.begin(), biases.end());
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
      "scale: the multiple of the target that fits the mean best, at n = 64; bias: the mean's distance from it, "
      "relative\n"
      "to it, of which ± is what sampling error alone gives at n = 64; spread: standard deviation of one group's\n"
      "gradient, likewise; cosine: of the mean with -∇J, at n = 64\n\n{}",
      options.instances, kDraws, options.beta, table_text(shown));
  result.sheets.push_back(std::move(all));
  return result;
}

}  // namespace agro
