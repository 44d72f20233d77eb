#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "lab/exact_gradient.h"
#include "lab/fixed_point.h"
#include "lab/flow.h"
#include "lab/foil.h"

namespace agro {
namespace {

const Vector kEnd = {1e10};
constexpr double kReached = 1e-6;

double ratio_to_start(const TabularPrompt& prompt, const Vector& logprobs) {
  const Vector optimum = optimal_logprobs(prompt);
  return kl_divergence(logprobs, optimum) / kl_divergence(prompt.ref_logprobs, optimum);
}

/// The largest difference of the probabilities from those of the nearest minimum.
double distance_from_nearest(const Vector& logprobs, std::span<const Vector> minima) {
  double nearest = HUGE_VAL;
  for (const Vector& minimum : minima) {
    double largest = 0;
    for (size_t y = 0; y < logprobs.size(); ++y)
      largest = std::max(largest, std::abs(std::exp(logprobs[y]) - std::exp(minimum[y])));
    nearest = std::min(nearest, largest);
  }
  return nearest;
}

/// What the flows of some prompts came to.
struct Tally {
  size_t prompts = 0, diverged = 0, predicted = 0;
  double residual = 0, distance = 0, nearest = HUGE_VAL;

  void add(const Tally& other) {
    prompts += other.prompts;
    diverged += other.diverged;
    predicted += other.predicted;
    residual = std::max(residual, other.residual);
    distance = std::max(distance, other.distance);
    nearest = std::min(nearest, other.nearest);
  }
};

Tally follow_foil(const TabularPrompt& prompt, const Behavior& behavior) {
  const Vector mu = behavior.probabilities(prompt.ref_logprobs);
  const Flow flow = gradient_flow(Law::kFoil, prompt, behavior, kEnd);
  const Vector& rest = flow.logprobs.back();
  const std::vector<Vector> minima = foil_minima(prompt, mu);
  Tally tally = {.prompts = 1, .diverged = flow.diverged, .nearest = ratio_to_start(prompt, rest)};
  if (flow.diverged) {
    tally.predicted = minima.empty();
    return tally;
  }
  tally.residual = foil_residual(prompt, rest, mu);
  tally.distance = distance_from_nearest(rest, minima);
  tally.predicted = tally.distance < kReached;
  return tally;
}

Tally follow_foils(Source source, const Instances& instances) {
  std::vector<Tally> tallies(instances.problems.size());
  parallel_for(static_cast<int64_t>(tallies.size()), [&](int64_t instance) {
    const auto i = static_cast<size_t>(instance);
    for (size_t x = 0; x < instances.problems[i].size(); ++x) {
      const TabularPrompt& prompt = instances.problems[i][x];
      tallies[i].add(follow_foil(prompt, Behavior(source, prompt, instances.other_models[i][x])));
    }
  });
  Tally all;
  for (const Tally& tally : tallies) all.add(tally);
  return all;
}

}  // namespace

std::string classify_foils(const LabOptions& options, LabResult& result) {
  LabSheet sheet = {"lab-fixed-point-foil",
                    {"β", "data", "prompts", "interior", "diverged", "as predicted", "residual", "distance", "nearest"},
                    {}};
  Tally all;
  for (const double beta : with_own_beta({0.1, 0.2, 0.5, 1, 2}, options)) {
    const Instances instances = random_instances(options, beta);
    for (const Source source : kSources) {
      if (!is_fixed(source)) continue;
      tell(options, fmt::format("fixed points of kl_policy_gradient, β = {}, data: {}", beta, name_of(source)));
      const Tally tally = follow_foils(source, instances);
      const bool any_interior = tally.diverged < tally.prompts;
      sheet.rows.push_back({fmt::format("{}", beta), std::string(name_of(source)), std::to_string(tally.prompts),
                            std::to_string(tally.prompts - tally.diverged), std::to_string(tally.diverged),
                            fmt::format("{}/{}", tally.predicted, tally.prompts),
                            any_interior ? fmt::format("{:.0e}", tally.residual) : "",
                            any_interior ? fmt::format("{:.0e}", tally.distance) : "",
                            fmt::format("{:.2g}", tally.nearest)});
      all.add(tally);
    }
  }
  result.text += fmt::format(
      "Every prompt under kl_policy_gradient (the foil of docs/theory.md), by flow from π_ref: at rest in the "
      "interior\n"
      "or diverged, and whether its fixed-point equation, solved without descent, says the same and where. residual: "
      "of\n"
      "that equation; distance: of the probabilities from its solution; nearest: the smallest KL(π‖π*) / KL(π₀‖π*)\n"
      "that any prompt ends with\n\n{}\n",
      table_text(sheet));
  result.sheets.push_back(std::move(sheet));
  return fmt::format(
      "  kl_policy_gradient on fixed data: {} of {} prompts at rest in the interior, {} diverged, {} as predicted;\n"
      "    {} the optimum (nearest: {:.2g} of the start)\n",
      all.prompts - all.diverged, all.prompts, all.diverged, all.predicted,
      all.nearest < kReached ? "some reach" : "none reaches", all.nearest);
}

std::string classify_through_sampling(const LabOptions& options, LabResult& result) {
  LabSheet sheet = {"lab-fixed-point-through-sampling",
                    {"β", "prompts", "at the optimum", "best - mean > 2β", "one or the other", "median ratio"},
                    {}};
  size_t reached = 0, total = 0;
  for (const double beta : with_own_beta({0.05, 0.1, 0.2, 0.5, 1, 2}, options)) {
    tell(options, fmt::format("flow through the sampling, β = {}", beta));
    size_t at_optimum = 0, above = 0, agreeing = 0;
    Vector ratios;
    for (const TabularProblem& problem : random_instances(options, beta).problems)
      for (const TabularPrompt& prompt : problem) {
        const Behavior behavior(Source::kPolicy, prompt, prompt.ref_logprobs);
        const Flow flow = gradient_flow(Law::kThroughSampling, prompt, behavior, kEnd);
        ratios.push_back(std::max(0.0, ratio_to_start(prompt, flow.logprobs.back())));
        const double mean = weighted_mean(probabilities(prompt.ref_logprobs), prompt.rewards);
        const bool far = *std::max_element(prompt.rewards.begin(), prompt.rewards.end()) - mean > 2 * beta;
        const bool arrived = ratios.back() < kReached;
        at_optimum += arrived;
        above += far;
        agreeing += far != arrived;
      }
    sheet.rows.push_back({fmt::format("{}", beta), std::to_string(ratios.size()), std::to_string(at_optimum),
                          std::to_string(above), std::to_string(agreeing),
                          fmt::format("{:.2g}", std::max(quantile(ratios, 0.5), 1e-16))});
    reached += at_optimum;
    total += ratios.size();
  }
  result.text += fmt::format(
      "agro, through sampling (A9): exact flow from π_ref to time {:g}. Beside the prompts that end below {:g} of the\n"
      "start, those whose best reward is more than 2β above the mean at π_ref; one or the other: prompts that are one\n"
      "of the two and not both\n\n{}\n",
      kEnd[0], kReached, table_text(sheet));
  result.sheets.push_back(std::move(sheet));
  return fmt::format("  agro, through sampling: {} of {} prompts reach the optimum\n", reached, total);
}

}  // namespace agro
