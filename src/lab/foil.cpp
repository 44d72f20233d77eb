#include "lab/foil.h"

#include <algorithm>
#include <cmath>

#include "lab/exact_gradient.h"

namespace agro {
namespace {

constexpr int kHalvings = 80;
constexpr int kGrid = 60;  // places, the denser the nearer to where the branches meet

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

/// One curve of solutions w(K) of w (log w - K) = q: all responses on the upper branch, but for at most one.
class Curve {
 public:
  Curve(const Vector& ref, const Vector& q, std::optional<size_t> lower) : ref_(ref), q_(q), lower_(lower) {}

  /// log w(a) - K, so that w = e^{K + this}.
  Vector exponents(double k) const {
    Vector x(q_.size());
    for (size_t y = 0; y < x.size(); ++y) x[y] = lambert(std::max(q_[y] * std::exp(-k), -std::exp(-1.0)), y == lower_);
    return x;
  }

  /// Σ π_ref w, which must be 1.
  double mass(double k) const {
    const Vector x = exponents(k);
    double sum = 0;
    for (size_t y = 0; y < x.size(); ++y) sum += ref_[y] * std::exp(k + x[y]);
    return sum;
  }

  /// d mass / dK.
  double slope(double k) const {
    const Vector x = exponents(k);
    double sum = 0;
    for (size_t y = 0; y < x.size(); ++y) sum += ref_[y] * std::exp(k + x[y]) / (1 + x[y]);
    return sum;
  }

  /// Does the mass rise from this K on? The one negative term of the slope falls, and is below what the others have at
  /// least.
  bool only_rises_from(double k) const {
    const double x = exponents(k)[*lower_];
    return ref_[*lower_] * std::exp(x) / (-1 - x) < 1 - ref_[*lower_];
  }

  double end_of_fall(double from) const {
    double span = 1;
    while (!only_rises_from(from + span)) span *= 2;
    return turning_point(from, from + span, [this](double k) { return only_rises_from(k); });
  }

  std::optional<size_t> lower() const { return lower_; }

 private:
  const Vector& ref_;
  const Vector& q_;
  std::optional<size_t> lower_;
};

/// Every K ≥ first at which a mass of 1 has the slope of a minimum: rising on the upper branch, where it only rises,
/// and falling on a curve with a lower branch.
Vector minima_along(const Curve& curve, double first) {
  const auto below = [&](double k) { return curve.mass(k) <= 1; };
  const auto above = [&](double k) { return curve.mass(k) > 1; };
  if (!curve.lower()) {
    if (above(first)) return {};
    double span = 1;
    while (!above(first + span)) span *= 2;
    return {turning_point(first, first + span, above)};
  }
  if (curve.only_rises_from(first)) return {};
  // Between two places of the grid the mass turns at most once, as far as is known.
  const double last = curve.end_of_fall(first);
  Vector minima;
  double low = first;
  bool falls = curve.slope(first) < 0;
  for (int i = 1; i <= kGrid; ++i) {
    const double share = static_cast<double>(i) / kGrid, high = first + (last - first) * share * share;
    const bool falls_next = i < kGrid && curve.slope(high) < 0;
    double from = low, to = high;
    const auto turned = [&](double k) { return (curve.slope(k) < 0) == falls_next; };
    if (falls != falls_next) (falls ? to : from) = turning_point(low, high, turned);
    if ((falls || falls_next) && above(from) && below(to)) minima.push_back(turning_point(from, to, below));
    low = high;
    falls = falls_next;
  }
  return minima;
}

}  // namespace

std::vector<Vector> foil_minima(const TabularPrompt& prompt, const Vector& mu) {
  const Vector ref = probabilities(prompt.ref_logprobs);
  const double mean = weighted_mean(mu, prompt.rewards);
  Vector q(ref.size());
  for (size_t y = 0; y < q.size(); ++y) q[y] = mu[y] * (prompt.rewards[y] - mean) / (prompt.beta * ref[y]);
  // Every w(a) exists from here on: at this K the two branches of the response with the smallest q meet.
  const double smallest = *std::min_element(q.begin(), q.end());
  const double first = smallest < 0 ? std::max(0.0, 1 + std::log(-smallest)) : 0;
  std::vector<Curve> curves = {Curve(ref, q, std::nullopt)};
  for (size_t y = 0; y < q.size(); ++y)
    if (q[y] < 0) curves.emplace_back(ref, q, y);
  std::vector<Vector> minima;
  for (const Curve& curve : curves)
    for (const double k : minima_along(curve, first)) {
      Vector logits = curve.exponents(k);
      for (size_t y = 0; y < logits.size(); ++y) logits[y] += prompt.ref_logprobs[y];
      minima.push_back(log_softmax(logits));
    }
  return minima;
}

double foil_residual(const TabularPrompt& prompt, const Vector& logprobs, const Vector& mu) {
  double largest = 0;
  for (const double x : foil_gradient(prompt, logprobs, mu)) largest = std::max(largest, std::abs(x));
  return largest;
}

}  // namespace agro
