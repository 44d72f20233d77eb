#pragma once
// Gradient flow: descent in the limit of small steps, whose time is steps × learning rate.
#include <span>

#include "lab/behavior.h"

namespace agro {

/// Did a log-probability fall below -300, or is one not a number? Then the policy has run to the boundary.
bool has_diverged(const Vector& logprobs);

/// What flows: A5/β, A9/β, which is on-policy whatever the behaviour, or the foil A11.
enum class Law { kAgro, kThroughSampling, kFoil };

struct Flow {
  std::vector<Vector> logprobs;  // of the policy, at every requested time
  /// By has_diverged(); the integration stopped there, and the rest repeats that policy.
  bool diverged = false;
};

/// The flow from π_ref. times: ascending, above 0. The replay remembers the policy at each of them.
///
/// The integrator is linearly implicit (Rosenbrock-Euler) with steps of at most a quarter nat per logit, and only where
/// the pivots of the implicit matrix are above zero. It follows the flow to first order while the policy moves, and
/// near a stable point becomes Newton's method, so that times up to 1e10 cost some hundred steps.
Flow gradient_flow(Law law, const TabularPrompt& prompt, Behavior behavior, std::span<const double> times);

/// `count` times from `first` to `last`, evenly spaced in logarithm.
Vector log_spaced(double first, double last, size_t count);

}  // namespace agro
