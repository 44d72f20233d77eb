#include <fmt/format.h>

#include <array>
#include <cmath>

#include "lab/laboratory.h"
#include "lab/token_tree.h"

namespace agro {
namespace {

constexpr size_t kTokens = 3, kLength = 3;
constexpr std::array<size_t, 3> kGroupSizes = {2, 8, 32};
constexpr int kPoints = 20;  // along the way

struct Rule {
  CreditRule rule;
  const char* name;
};
constexpr std::array kRules = {Rule{CreditRule::kSequence, "sequence, R of the others"},
                               Rule{CreditRule::kToken, "token, R of the others"},
                               Rule{CreditRule::kPrefixBaseline, "either, prefix baseline"}};

double largest_difference(const Vector& a, const Vector& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

}  // namespace

LabResult sequence_experiment(const LabOptions& options) {
  check(options);
  const TokenTree tree(kTokens, kLength);
  std::vector<TabularPrompt> prompts;
  for (size_t i = 0; i < options.instances; ++i)
    prompts.push_back(random_problem({1, tree.responses(), options.beta}, options.seed, i)[0]);

  LabSheet all = {"lab-sequence", {"credit", "n", "share", "median", "lower_quartile", "upper_quartile"}, {}};
  LabSheet shown = {"", {"credit", "n", "0 %", "25 %", "50 %", "75 %", "90 %", "100 %"}, {}};
  LabResult result;
  double expectation_gap = 0;
  for (const size_t n : kGroupSizes) {
    SvgPlot plot = {.title = fmt::format("Variance of the gradient, groups of {}, β = {}", n, options.beta),
                    .x_label = "share of the way from the reference to the optimum",
                    .y_label = "variance of the estimate of ∇J",
                    .series = {},
                    .log_y = true};
    std::vector<Vector> sequence_means;
    for (const Rule& rule : kRules) {
      std::vector<double> shares;
      std::vector<std::vector<double>> variances;
      std::vector<std::string> row = {rule.name, std::to_string(n)};
      size_t point = 0;
      for (int i = 0; i <= kPoints; ++i) {
        const double share = static_cast<double>(i) / kPoints;
        shares.push_back(share);
        auto& values = variances.emplace_back();
        for (const TabularPrompt& prompt : prompts) {
          GradientMoments moments = credit_moments(tree, prompt, logprobs_on_the_way(prompt, share), rule.rule, n);
          values.push_back(moments.variance);
          if (rule.rule == CreditRule::kSequence)
            sequence_means.push_back(std::move(moments.mean));
          else
            expectation_gap = std::max(expectation_gap, largest_difference(moments.mean, sequence_means[point]));
          ++point;
        }
        all.rows.push_back({rule.name, std::to_string(n), fmt::format("{}", share),
                            fmt::format("{}", quantile(values, 0.5)), fmt::format("{}", quantile(values, 0.25)),
                            fmt::format("{}", quantile(values, 0.75))});
        if (i % (kPoints / 4) == 0 || i == kPoints * 9 / 10)
          row.push_back(fmt::format("{:.2g}", quantile(values, 0.5)));
      }
      plot.series.push_back(median_series(rule.name, shares, variances));
      shown.rows.push_back(std::move(row));
    }
    // At the optimum the variance is zero to rounding, which a logarithmic axis would stretch over decades.
    for (SvgSeries& series : plot.series)
      for (auto* values : {&series.y, &series.low, &series.high})
        for (double& value : *values)
          if (value < 1e-20) value = 0;
    result.figures.push_back({fmt::format("lab-sequence-{}", n), std::move(plot)});
  }
  result.text = fmt::format(
      "On-policy gradients of {} responses of {} tokens ({} tokens to choose from), exact over all groups of n.\n"
      "Variance along the way from π_ref to π*, medians over {} prompts, β = {}\n\n{}\n"
      "Largest difference between the expectations of the credits: {:.1e}\n",
      tree.responses(), kLength, kTokens, options.instances, options.beta, table_text(shown), expectation_gap);
  result.sheets.push_back(std::move(all));
  return result;
}

}  // namespace agro
