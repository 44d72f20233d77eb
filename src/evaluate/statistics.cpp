#include "evaluate/statistics.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/rng.h"

namespace agro {

double mean(std::span<const double> values) {
  if (values.empty()) throw Error("a mean needs values, found none");
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

Interval wilson_interval(int64_t successes, int64_t trials, double z) {
  if (trials < 1 || successes < 0 || successes > trials)
    throw fail("an interval for a proportion needs successes within 0 and trials > 0, found {} of {}", successes,
               trials);
  const auto n = static_cast<double>(trials);
  const double p = static_cast<double>(successes) / n, shrink = 1 + z * z / n;
  const double centre = (p + z * z / (2 * n)) / shrink;
  const double half = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / shrink;
  // At the ends the formula gives exactly 0 or 1, up to rounding.
  return {successes == 0 ? 0 : std::max(0.0, centre - half), successes == trials ? 1 : std::min(1.0, centre + half)};
}

double pass_at_k(int64_t n, int64_t c, int64_t k) {
  if (k < 1 || k > n || c < 0 || c > n)
    throw fail("pass@k needs 1 ≤ k ≤ n and 0 ≤ c ≤ n, found n = {}, c = {}, k = {}", n, c, k);
  double all_wrong = 1;
  for (int64_t i = n - c + 1; i <= n && all_wrong > 0; ++i)
    all_wrong *= std::max(0.0, 1 - static_cast<double>(k) / static_cast<double>(i));
  return 1 - all_wrong;
}

double quantile(std::span<const double> ascending, double q) {
  if (ascending.empty()) throw Error("a quantile needs values, found none");
  const double place = std::clamp(q, 0.0, 1.0) * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, ascending.size() - 1);
  return ascending[below] + (place - static_cast<double>(below)) * (ascending[above] - ascending[below]);
}

std::vector<Interval> bootstrap_intervals(std::span<const std::vector<double>> columns, uint64_t seed,
                                          int64_t resamples) {
  if (columns.empty()) return {};
  const size_t prompts = columns[0].size();
  for (const std::vector<double>& column : columns)
    if (column.empty() || column.size() != prompts)
      throw fail("a bootstrap needs one value for each prompt: expected {}, found {}", prompts, column.size());
  std::vector<std::vector<double>> means(columns.size());
  std::vector<double> times(prompts);
  for (int64_t resample = 0; resample < resamples; ++resample) {
    std::fill(times.begin(), times.end(), 0);
    for (size_t i = 0; i < prompts; ++i)
      times[uniform_below({seed, Stream::kBootstrap, static_cast<uint64_t>(resample), 0, static_cast<uint32_t>(i)},
                          prompts)] += 1;
    for (size_t c = 0; c < columns.size(); ++c) {
      double sum = 0;
      for (size_t i = 0; i < prompts; ++i) sum += times[i] * columns[c][i];
      means[c].push_back(sum / static_cast<double>(prompts));
    }
  }
  std::vector<Interval> intervals;
  for (std::vector<double>& column : means) {
    std::sort(column.begin(), column.end());
    intervals.push_back({quantile(column, 0.025), quantile(column, 0.975)});
  }
  return intervals;
}

double mcnemar_exact(int64_t only_a, int64_t only_b) {
  const int64_t n = only_a + only_b, fewer = std::min(only_a, only_b);
  if (n == 0 || 2 * fewer == n) return 1;
  const auto log_choose = [&](int64_t k) {
    return std::lgamma(static_cast<double>(n + 1)) - std::lgamma(static_cast<double>(k + 1)) -
           std::lgamma(static_cast<double>(n - k + 1));
  };
  double tail = 0;
  for (int64_t k = 0; k <= fewer; ++k) tail += std::exp(log_choose(k) - static_cast<double>(n) * std::log(2.0));
  return std::min(1.0, 2 * tail);
}

Interval paired_difference_interval(const PairedCounts& counts) {
  const int64_t n = counts.total();
  if (n < 1) throw Error("a paired comparison needs prompts, found none");
  const auto e = static_cast<double>(counts.both), f = static_cast<double>(counts.only_a);
  const auto g = static_cast<double>(counts.only_b), h = static_cast<double>(counts.neither);
  const auto total = static_cast<double>(n);
  const double a = (e + f) / total, b = (e + g) / total;
  const Interval wa = wilson_interval(counts.both + counts.only_a, n),
                 wb = wilson_interval(counts.both + counts.only_b, n);
  const double product = (e + f) * (g + h) * (e + g) * (f + h);
  double phi = 0;
  if (product > 0) {
    const double cross = e * h - f * g;
    phi = (cross > 0 ? std::max(cross - total / 2, 0.0) : cross) / std::sqrt(product);
  }
  const auto reach = [&](double x, double y) { return std::sqrt(std::max(0.0, x * x - 2 * phi * x * y + y * y)); };
  return {a - b - reach(a - wa.low, wb.high - b), a - b + reach(wa.high - a, b - wb.low)};
}

}  // namespace agro
