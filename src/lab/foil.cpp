#include "lab/foil.h"

#include <algorithm>
#include <cmath>

#include "lab/exact_gradient.h"

namespace agro {
namespace {

constexpr int kHalvings = 80;

/// The place in [low, high] where `above` turns from false to true.
template <class Above>
double turning_point(double low, double high, const Above& above) {
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = low + (high - low) / 2;
    (above(middle) ? high : low) = middle;
  }
  return high;
}

/// x with x e^x = s for s ≥ -1/e: the branch x ≥ -1, or, for s < 0, the branch x ≤ -1.
double lambert(double s, bool lower_branch) {
  if (lower_branch) return turning_point(-750, -1, [s](double x) { return x * std::exp(x) < s; });
  return turning_point(-1, 1 + std::log1p(std::max(s, 0.0)), [s](double x) { return x * std::exp(x) > s; });
}

/// Solutions w(K) of w (log w - K) = q, all on the upper branch but at most one.
class Candidates {
 public:
  Candidates(const TabularPrompt& prompt, const Vector& mu)
      : ref_(probabilities(prompt.ref_logprobs)), q_(ref_.size()) {
    const double mean = weighted_mean(mu, prompt.rewards);
    for (size_t y = 0; y < q_.size(); ++y) q_[y] = mu[y] * (prompt.rewards[y] - mean) / (prompt.beta * ref_[y]);
    worst_ = static_cast<size_t>(std::min_element(q_.begin(), q_.end()) - q_.begin());
  }

  /// The smallest K for which every w exists: there the worst response's two branches meet.
  double branch_point() const { return q_[worst_] < 0 ? 1 + std::log(-q_[worst_]) : -HUGE_VAL; }

  /// log w(a) - K, so that w = e^{K + this}.
  Vector exponents(double k, bool lower) const {
    Vector x(q_.size());
    for (size_t y = 0; y < x.size(); ++y) x[y] = lambert(q_[y] * std::exp(-k), lower && y == worst_);
    return x;
  }

  /// Σ π_ref w, which must be 1.
  double mass(double k, bool lower) const {
    const Vector x = exponents(k, lower);
    double sum = 0;
    for (size_t y = 0; y < x.size(); ++y) sum += ref_[y] * std::exp(k + x[y]);
    return sum;
  }

  /// d mass / dK.
  double slope(double k, bool lower) const {
    const Vector x = exponents(k, lower);
    double sum = 0;
    for (size_t y = 0; y < x.size(); ++y) sum += ref_[y] * std::exp(k + x[y]) / (1 + x[y]);
    return sum;
  }

 private:
  Vector ref_, q_;
  size_t worst_ = 0;
};

double doubled_until(double from, double step, const auto& reached) {
  while (!reached(from + step)) step *= 2;
  return from + step;
}

}  // namespace

std::optional<Vector> foil_fixed_point(const TabularPrompt& prompt, const Vector& mu) {
  const Candidates candidates(prompt, mu);
  const double first = std::max(0.0, candidates.branch_point());
  const bool lower = candidates.mass(first, false) > 1;
  double k = 0;
  if (lower) {
    const auto rises = [&](double at) { return candidates.slope(at, true) > 0; };
    const double fold = turning_point(first, doubled_until(first, 1, rises), rises);
    const auto below = [&](double at) { return candidates.mass(at, true) <= 1; };
    if (!below(fold)) return std::nullopt;
    k = turning_point(first, fold, below);
  } else {
    const auto above = [&](double at) { return candidates.mass(at, false) > 1; };
    k = turning_point(first, doubled_until(first, 1, above), above);
  }
  Vector logits = candidates.exponents(k, lower);
  for (size_t y = 0; y < logits.size(); ++y) logits[y] += prompt.ref_logprobs[y];
  return log_softmax(logits);
}

double foil_residual(const TabularPrompt& prompt, const Vector& logprobs, const Vector& mu) {
  double largest = 0;
  for (const double x : foil_gradient(prompt, logprobs, mu)) largest = std::max(largest, std::abs(x));
  return largest;
}

}  // namespace agro
