#pragma once
// The statistics of evaluations: intervals for what was measured on some of all possible prompts, unbiased estimates
// from more samples than they speak of, and the comparison of two models on the same prompts.
#include <cstdint>
#include <span>
#include <vector>

namespace agro {

struct Interval {
  double low = 0, high = 0;
};

constexpr double kNormal95 = 1.959963984540054;  // two-sided 95 % quantile of the normal distribution

/// Throws Error where there are no values.
double mean(std::span<const double> values);

/// Wilson's score interval for a proportion (Wilson 1927), within [0, 1]. Throws Error unless
/// 0 ≤ successes ≤ trials and trials > 0.
Interval wilson_interval(int64_t successes, int64_t trials, double z = kNormal95);

/// The unbiased estimate of the chance that at least one of k responses is right, from c right ones of n:
/// 1 − C(n−c, k) / C(n, k) (Chen et al. 2021, arXiv 2107.03374, eq. 1). Throws Error unless 1 ≤ k ≤ n, 0 ≤ c ≤ n.
double pass_at_k(int64_t n, int64_t c, int64_t k);

/// The q-quantile (0 ≤ q ≤ 1) of ascending values, linear between neighbours. Throws Error where there are none.
double quantile(std::span<const double> ascending, double q);

/// Percentile bootstrap over prompts (Efron 1979): 95 % intervals for the mean of each column. A column has one value
/// for each prompt; the same resampled prompts serve all columns. Depends on the values and the seed alone. Throws
/// Error where columns are empty or differ in length.
std::vector<Interval> bootstrap_intervals(std::span<const std::vector<double>> columns, uint64_t seed,
                                          int64_t resamples = 2000);

/// McNemar's exact test, two-sided: the chance that of only_a + only_b prompts on which exactly one of two equally good
/// models is right, the split is at least as uneven as this. 1 where there are no such prompts.
double mcnemar_exact(int64_t only_a, int64_t only_b);

/// Prompts by who is right on them.
struct PairedCounts {
  int64_t both = 0, only_a = 0, only_b = 0, neither = 0;
  int64_t total() const { return both + only_a + only_b + neither; }
};

/// 95 % interval for the difference of accuracies a − b of two models on the same prompts: Newcombe's square-and-add of
/// Wilson intervals with a continuity-corrected correlation (Newcombe 1998, Statistics in Medicine 17:2635, method 10).
/// Throws Error where there are no prompts.
Interval paired_difference_interval(const PairedCounts& counts);

}  // namespace agro
