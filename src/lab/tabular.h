#pragma once
// A problem small enough to be exact: one prompt, Y responses, a policy with one logit per response. Prompts do not
// share logits, so a problem of several prompts is a list of these.
#include <cstdint>
#include <vector>

#include "lab/linear.h"

namespace agro {

struct TabularPrompt {
  Vector rewards;       // [Y]
  Vector ref_logprobs;  // [Y] log π_ref
  double beta = 1;
};

using TabularProblem = std::vector<TabularPrompt>;

struct ProblemShape {
  size_t prompts = 3, responses = 10;
  double beta = 0.5;
};

/// Rewards uniform in [0, 1), π_ref the softmax of standard normals. Equal arguments give equal problems, and problems
/// of different β differ in nothing else.
TabularProblem random_problem(const ProblemShape& shape, uint64_t seed, size_t index);

/// [Y] log-probabilities of logits [Y].
Vector log_softmax(const Vector& logits);

/// [Y] the softmax of independent standard normals: some other model's distribution.
Vector random_logprobs(size_t responses, uint64_t seed, size_t index);

/// exp of every entry.
Vector probabilities(const Vector& logprobs);

/// Σ w x, and Σ w (x - mean)² with weights that add up to one.
double weighted_mean(const Vector& weights, const Vector& x);
double weighted_variance(const Vector& weights, const Vector& x);

/// log π* (A2).
Vector optimal_logprobs(const TabularPrompt& prompt);

/// The policy a share λ of the way from π_ref (0) to π* (1): π_λ ∝ π_ref exp(λ r / β).
Vector logprobs_on_the_way(const TabularPrompt& prompt, double share);

/// V* = β log Z (A2), what π* reaches.
double optimal_value(const TabularPrompt& prompt);

/// J(π) (A1).
double objective_value(const TabularPrompt& prompt, const Vector& logprobs);

/// R_θ of every response (A3).
Vector regularized_rewards(const TabularPrompt& prompt, const Vector& logprobs);

/// KL(p‖q) in nats, of log-probabilities.
double kl_divergence(const Vector& logprobs, const Vector& other);

}  // namespace agro
