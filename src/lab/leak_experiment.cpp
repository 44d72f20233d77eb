#include <fmt/format.h>

#include <algorithm>

#include "lab/laboratory.h"
#include "lab/tabular.h"

namespace agro {
namespace {

constexpr double kPlottedFloor = 1e-6;

/// Stored responses: the first `count` of the prompt's, weighted as π_ref weighs them.
Vector stored_behavior(const TabularPrompt& prompt, size_t count) {
  Vector mu = probabilities(prompt.ref_logprobs);
  double mass = 0;
  for (size_t y = 0; y < mu.size(); ++y) mass += y < count ? mu[y] : 0;
  for (size_t y = 0; y < mu.size(); ++y) mu[y] = y < count ? mu[y] / mass : 0;
  return mu;
}

}  // namespace

LabResult leak_experiment(const LabOptions& options) {
  check(options);
  const TabularPrompt prompt = random_problem({1, options.responses, options.beta}, options.seed, 0)[0];
  const size_t count = (options.responses + 1) / 2;
  const Vector stored = stored_behavior(prompt, count), optimum = optimal_logprobs(prompt);
  LabSheet all = {"lab-leak", {"shift", "mass", "stored_loss", "half_fresh_loss", "gap"}, {}};
  LabSheet shown = {"", {"shift (nats)", "mass on stored", "loss, stored", "loss, half fresh", "gap"}, {}};
  SvgSeries stored_line, fresh_line, gap_line, mass_line;
  stored_line.name = "loss, stored only";
  fresh_line.name = "loss, half fresh";
  gap_line.name = "optimality gap";
  mass_line.name = "mass on stored";
  for (int i = -48; i <= 16; ++i) {
    const double shift = i / 4.0;
    Vector logits = optimum;
    for (size_t y = 0; y < count; ++y) logits[y] += shift;
    const Vector logprobs = log_softmax(logits), policy = probabilities(logprobs);
    const Vector regularized = regularized_rewards(prompt, logprobs);
    Vector mixed(policy.size());
    double mass = 0;
    for (size_t y = 0; y < mixed.size(); ++y) {
      mixed[y] = (stored[y] + policy[y]) / 2;
      mass += y < count ? policy[y] : 0;
    }
    const double stored_loss = weighted_variance(stored, regularized) / 2;
    const double fresh_loss = weighted_variance(mixed, regularized) / 2;
    const double gap = prompt.beta * std::max(0.0, kl_divergence(logprobs, optimum));  // what rounding leaves below 0
    const std::vector<std::pair<SvgSeries*, double>> points = {
        {&stored_line, stored_loss}, {&fresh_line, fresh_loss}, {&gap_line, gap}, {&mass_line, mass}};
    for (const auto& [line, value] : points) {
      line->x.push_back(shift);
      line->y.push_back(value);
    }
    all.rows.push_back({fmt::format("{}", shift), fmt::format("{}", mass), fmt::format("{}", stored_loss),
                        fmt::format("{}", fresh_loss), fmt::format("{}", gap)});
    if (i % 16 == 0)
      shown.rows.push_back({fmt::format("{}", shift), fmt::format("{:.4f}", mass), fmt::format("{:.1e}", stored_loss),
                            fmt::format("{:.3f}", fresh_loss), fmt::format("{:.3f}", gap)});
  }
  std::vector<SvgSeries> lines;
  for (SvgSeries* line : {&stored_line, &fresh_line, &gap_line, &mass_line})
    lines.push_back(floored(std::move(*line), kPlottedFloor));
  LabResult result;
  result.text = fmt::format(
      "{} of {} responses are stored. All of them shifted together by some nats from the optimum, β = {}:\n\n{}", count,
      options.responses, options.beta, table_text(shown));
  result.sheets.push_back(std::move(all));
  result.figures.push_back({"lab-leak",
                            {.title = fmt::format("A common shift of all stored responses, β = {}", options.beta),
                             .x_label = "shift of the stored logits from the optimum (nats)",
                             .y_label = "loss, gap (reward); mass",
                             .series = std::move(lines),
                             .log_y = true}});
  return result;
}

}  // namespace agro
