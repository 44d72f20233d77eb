#include <fmt/format.h>

#include <array>
#include <span>

#include "lab/laboratory.h"
#include "lab/random.h"
#include "lab/tabular.h"
#include "objective/diagnostics.h"

namespace agro {
namespace {

constexpr size_t kDraws = 200;  // groups for each prompt and n
constexpr std::array<size_t, 8> kGroupSizes = {2, 4, 8, 16, 32, 64, 128, 256};
constexpr std::array kShares = {0.0, 0.5, 0.9};

Vector betas_of(const LabOptions& options) { return with_own_beta({0.05, 0.1, 0.2, 0.5, 1, 2}, options); }

std::vector<TabularPrompt> prompts_of(const LabOptions& options, double beta) {
  std::vector<TabularPrompt> prompts;
  for (size_t i = 0; i < options.instances; ++i)
    for (TabularPrompt& prompt : random_problem({options.prompts, options.responses, beta}, options.seed, i))
      prompts.push_back(std::move(prompt));
  return prompts;
}

double true_gap(const TabularPrompt& prompt, const Vector& logprobs) {
  return prompt.beta * kl_divergence(logprobs, optimal_logprobs(prompt));
}

/// Of one prompt, means over draws of groups of n.
struct Estimates {
  double truth = 0;
  double gap = 0;        // A12, from responses of the policy
  double value_gap = 0;  // V̂* from n responses of the reference, less the policy's mean R
};

Estimates estimate(const TabularPrompt& prompt, double share, size_t n, Random& random) {
  const Vector logprobs = logprobs_on_the_way(prompt, share), policy = probabilities(logprobs);
  const Vector reference = probabilities(prompt.ref_logprobs), regularized = regularized_rewards(prompt, logprobs);
  Estimates result = {.truth = true_gap(prompt, logprobs)};
  for (size_t draw = 0; draw < kDraws; ++draw) {
    Vector sampled(n), rewards(n);
    double mean = 0;
    for (size_t i = 0; i < n; ++i) {
      sampled[i] = regularized[random.index(policy)];
      rewards[i] = prompt.rewards[random.index(reference)];
      mean += sampled[i] / static_cast<double>(n);
    }
    result.gap += optimality_gap(sampled, prompt.beta) / kDraws;
    result.value_gap += (value_estimate(rewards, prompt.beta) - mean) / kDraws;
  }
  return result;
}

/// The same over prompts: ratios of means, and the quartiles of the prompts' own ratios.
struct Summary {
  double truth = 0, gap = 0, value_gap = 0;
  std::vector<double> ratios;  // gap / truth of each prompt
};

Summary summary(std::span<const TabularPrompt> prompts, double share, size_t n, uint64_t seed) {
  Random random(seed, Random::Purpose::kDraws, n);
  Summary all;
  const auto count = static_cast<double>(prompts.size());
  for (const TabularPrompt& prompt : prompts) {
    const Estimates found = estimate(prompt, share, n, random);
    all.truth += found.truth / count;
    all.gap += found.gap / count;
    all.value_gap += found.value_gap / count;
    all.ratios.push_back(found.gap / found.truth);
  }
  return all;
}

void estimate_by_size(const LabOptions& options, LabResult& result) {
  LabSheet all = {"lab-gap",
                  {"beta", "share", "n", "gap", "estimate", "value_gap", "ratio_median", "ratio_lower_quartile",
                   "ratio_upper_quartile"},
                  {}};
  LabSheet shown = {"", {"β", "way", "gap", "n=2", "n=8", "quartiles", "n=32", "n=256", "V̂* n=8", "V̂* n=256"}, {}};
  SvgPlot plot = {.title = "Estimated optimality gap of the reference policy",
                  .x_label = "group size n",
                  .y_label = "estimate (A12) / true gap",
                  .series = {},
                  .log_x = true};
  for (const double beta : betas_of(options)) {
    tell(options, fmt::format("gaps, β = {}", beta));
    const auto prompts = prompts_of(options, beta);
    for (const double share : kShares) {
      SvgSeries line;
      line.name = fmt::format("β = {}", beta);
      line.marks = true;
      std::vector<std::string> row = {fmt::format("{}", beta), fmt::format("{:.0f} %", 100 * share)}, value_cells;
      for (const size_t n : kGroupSizes) {
        const Summary found = summary(prompts, share, n, options.seed);
        const double low = quantile(found.ratios, 0.25), high = quantile(found.ratios, 0.75);
        if (n == kGroupSizes[0]) row.push_back(fmt::format("{:.3g}", found.truth));
        all.rows.push_back({fmt::format("{}", beta), fmt::format("{}", share), std::to_string(n),
                            fmt::format("{}", found.truth), fmt::format("{}", found.gap),
                            fmt::format("{}", found.value_gap), fmt::format("{}", quantile(found.ratios, 0.5)),
                            fmt::format("{}", low), fmt::format("{}", high)});
        line.x.push_back(static_cast<double>(n));
        line.y.push_back(found.gap / found.truth);
        line.low.push_back(low);
        line.high.push_back(high);
        if (n == 2 || n == 8 || n == 32 || n == 256) row.push_back(fmt::format("{:.2f}", line.y.back()));
        if (n == 8) row.push_back(fmt::format("{:.2f}–{:.2f}", low, high));
        if (n == 8 || n == 256) value_cells.push_back(fmt::format("{:.2f}", found.value_gap / found.truth));
      }
      row.insert(row.end(), value_cells.begin(), value_cells.end());
      shown.rows.push_back(std::move(row));
      if (share == 0) plot.series.push_back(std::move(line));
    }
  }
  result.text += fmt::format(
      "Estimated over true optimality gap, by group size n: ratio of the means over {} prompts of {} groups each, and\n"
      "at n = 8 the quartiles of the prompts' own ratios. To second order 1 - 1/n is expected: 0.50, 0.88, 0.97, "
      "1.00.\n"
      "way: how far the policy is from π_ref to π*; V̂*: with the value estimated from n responses of π_ref "
      "instead\n\n{}\n",
      prompts_of(options, options.beta).size(), kDraws, table_text(shown));
  result.sheets.push_back(std::move(all));
  result.figures.push_back({"lab-gap-bias", std::move(plot)});
}

/// The second order of the gap against the gap, on the way from π_ref to π*.
void expand(const LabOptions& options, LabResult& result) {
  LabSheet sheet = {"lab-gap-second-order", {"beta", "share", "gap", "second_order"}, {}};
  SvgPlot plot = {.title = "Second order of the optimality gap",
                  .x_label = "share of the way from the reference to the optimum",
                  .y_label = "Var(R) / 2β, relative to the gap",
                  .series = {}};
  for (const double beta : betas_of(options)) {
    SvgSeries line;
    line.name = fmt::format("β = {}", beta);
    const auto prompts = prompts_of(options, beta);
    for (int i = 0; i < 50; ++i) {  // at the very end both are zero
      const double share = i / 50.0;
      double gap = 0, second = 0;
      for (const TabularPrompt& prompt : prompts) {
        const Vector logprobs = logprobs_on_the_way(prompt, share);
        gap += true_gap(prompt, logprobs) / static_cast<double>(prompts.size());
        second += weighted_variance(probabilities(logprobs), regularized_rewards(prompt, logprobs)) /
                  (2 * beta * static_cast<double>(prompts.size()));
      }
      line.x.push_back(share);
      line.y.push_back(second / gap);
      sheet.rows.push_back(
          {fmt::format("{}", beta), fmt::format("{}", share), fmt::format("{}", gap), fmt::format("{}", second)});
    }
    plot.series.push_back(std::move(line));
  }
  result.sheets.push_back(std::move(sheet));
  result.figures.push_back({"lab-gap-second-order", std::move(plot)});
}

/// Generation consistency: the regularised rewards of one prompt meet in V*.
void show_consistency(const LabOptions& options, LabResult& result) {
  const TabularPrompt prompt = prompts_of(options, options.beta)[0];
  LabSheet sheet = {"lab-consistency", {"share", "response", "regularized_reward"}, {}};
  SvgPlot plot = {.title = fmt::format("Regularised rewards of one prompt's responses, β = {}", options.beta),
                  .x_label = "share of the way from the reference to the optimum",
                  .y_label = "R(y)",
                  .series = {}};
  for (size_t y = 0; y < prompt.rewards.size(); ++y) {
    SvgSeries line;
    line.name = fmt::format("y = {}", y + 1);
    for (int i = 0; i <= 20; ++i) {
      const double share = i / 20.0;
      line.x.push_back(share);
      line.y.push_back(regularized_rewards(prompt, logprobs_on_the_way(prompt, share))[y]);
      sheet.rows.push_back({fmt::format("{}", share), std::to_string(y + 1), fmt::format("{}", line.y.back())});
    }
    plot.series.push_back(std::move(line));
  }
  result.sheets.push_back(std::move(sheet));
  result.figures.push_back({"lab-consistency", std::move(plot)});
}

/// A policy that says one thing only: consistent with itself, and far from the optimum.
void collapse(const LabOptions& options, LabResult& result) {
  const TabularPrompt prompt = prompts_of(options, options.beta)[0];
  Vector logits(prompt.rewards.size());
  logits[0] = 50;
  const Vector logprobs = log_softmax(logits);
  const Vector one_answer(8, regularized_rewards(prompt, logprobs)[0]);
  result.text += fmt::format(
      "A policy collapsed onto one response: A12 = {:.3f} from any of its groups; true gap {:.3f} (V* less J)\n",
      optimality_gap(one_answer, prompt.beta), optimal_value(prompt) - objective_value(prompt, logprobs));
}

}  // namespace

LabResult gap_experiment(const LabOptions& options) {
  check(options);
  LabResult result;
  estimate_by_size(options, result);
  expand(options, result);
  show_consistency(options, result);
  collapse(options, result);
  return result;
}

}  // namespace agro
