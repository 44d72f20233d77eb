#pragma once
// Stochastic descent on tabular problems, with any objective of the library.
#include "lab/behavior.h"
#include "lab/sampled.h"

namespace agro {

struct DescentOptions {
  size_t group_size = 8, steps = 600;
  double learning_rate = 2;
  size_t record_every = 10;
  uint64_t seed = 0;
};

/// Plain gradient steps from π_ref, each from one fresh group per prompt, all prompts of all problems in one batch.
/// A step that would make a policy diverge (flow.h) is not taken: that policy stays at the boundary.
/// Returns [records][problems] KL(π‖π*) / KL(π_0‖π*), sums over a problem's prompts; the first record is the start.
/// other_models: [problems][prompts] what Source::kOtherModel draws from. Throws as the objective does.
std::vector<Vector> stochastic_descent(const Objective& objective, std::span<const TabularProblem> problems,
                                       Source source, std::span<const std::vector<Vector>> other_models,
                                       const DescentOptions& options);

/// Σ_x KL(π‖π*) of a problem; logprobs: [prompts].
double divergence_from_optimum(const TabularProblem& problem, std::span<const Vector> logprobs);

}  // namespace agro
