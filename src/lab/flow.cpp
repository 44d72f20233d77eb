#include "lab/flow.h"

#include <algorithm>
#include <cmath>

#include "lab/exact_gradient.h"

namespace agro {
namespace {

constexpr double kLargestMove = 0.25;  // nats of a logit in one step
constexpr double kFirstStep = 1e-2;    // of time; later steps may be as long as the time before them
constexpr double kDivergence = -300;   // a log-probability that doubles can still square

struct Slope {
  Vector gradient;
  SquareMatrix curvature;
};

Slope slope_at(Law law, const TabularPrompt& prompt, const Vector& logprobs, const Behavior& behavior) {
  const Vector mu = behavior.probabilities(logprobs);
  if (law == Law::kFoil)
    return {foil_gradient(prompt, logprobs, mu), foil_curvature(prompt, logprobs, mu, behavior.policy_share())};
  Slope slope = law == Law::kThroughSampling
                    ? Slope{through_sampling_gradient(prompt, logprobs), through_sampling_curvature(prompt, logprobs)}
                    : Slope{consistency_gradient(prompt, logprobs, mu), consistency_curvature(prompt, mu)};
  for (double& x : slope.gradient) x /= prompt.beta;
  for (double& x : slope.curvature.values) x /= prompt.beta;
  return slope;
}

/// -(I + h H)⁻¹ h g, if that is a step of admissible size.
std::optional<Vector> implicit_step(const Slope& slope, double h) {
  SquareMatrix matrix = slope.curvature;
  Vector right = slope.gradient;
  for (double& x : matrix.values) x *= h;
  for (size_t i = 0; i < right.size(); ++i) {
    matrix(i, i) += 1;
    right[i] *= -h;
  }
  std::optional<Vector> step = solve_with_positive_pivots(std::move(matrix), std::move(right));
  const auto small = [](double x) { return std::abs(x) <= kLargestMove; };
  return step && std::all_of(step->begin(), step->end(), small) ? step : std::nullopt;
}

}  // namespace

bool has_diverged(const Vector& logprobs) {
  return !std::all_of(logprobs.begin(), logprobs.end(), [](double x) { return x >= kDivergence; });
}

Flow gradient_flow(Law law, const TabularPrompt& prompt, Behavior behavior, std::span<const double> times) {
  Flow flow;
  Vector logprobs = prompt.ref_logprobs;
  behavior.remember(logprobs);
  double now = 0;
  for (const double time : times) {
    while (now < time && !has_diverged(logprobs)) {
      const Slope slope = slope_at(law, prompt, logprobs, behavior);
      double h = std::min(time - now, std::max(now, kFirstStep));
      std::optional<Vector> step = implicit_step(slope, h);
      for (; !step; h /= 2) step = implicit_step(slope, h / 2);
      for (size_t y = 0; y < logprobs.size(); ++y) logprobs[y] += (*step)[y];
      logprobs = log_softmax(logprobs);
      now += h;
    }
    flow.logprobs.push_back(logprobs);
    behavior.remember(logprobs);
  }
  flow.diverged = has_diverged(logprobs);
  return flow;
}

Vector log_spaced(double first, double last, size_t count) {
  Vector times(count);
  for (size_t i = 0; i < count; ++i)
    times[i] = first * std::pow(last / first, static_cast<double>(i) / static_cast<double>(count - 1));
  return times;
}

}  // namespace agro
