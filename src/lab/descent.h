#pragma once
// Stochastic descent on tabular problems, with any objective of the library.
#include "lab/behavior.h"
#include "lab/sampled.h"

namespace agro {

struct DescentOptions {
  size_t group_size = 8, steps = 600;
  double learning_rate = 2;
  double value_learning_rate = 0.5;  // of V(x), for objectives with a value head
  size_t record_every = 10;
  uint64_t seed = 0;
};

struct Descent {
  /// [records][problems] KL(π‖π*) / KL(π_0‖π*), sums over a problem's prompts; the first record is the start.
  std::vector<Vector> records;
  size_t refused = 0;  // steps of single prompts that were not taken
};

/// The steps after which stochastic_descent() records: 0, every record_every-th, and the last.
Vector recorded_steps(const DescentOptions& options);

/// Plain gradient steps from π_ref, each from one fresh group per prompt, all prompts of all problems in one batch;
/// V(x) starts at 0. A step that would make a policy diverge (flow.h) is refused: that policy stays at the boundary.
/// other_models: [problems][prompts] what Source::kOtherModel draws from. Throws as the objective does.
Descent stochastic_descent(const Objective& objective, std::span<const TabularProblem> problems, Source source,
                           std::span<const std::vector<Vector>> other_models, const DescentOptions& options);

/// Σ_x KL(π‖π*) of a problem; logprobs: [prompts].
double divergence_from_optimum(const TabularProblem& problem, std::span<const Vector> logprobs);

}  // namespace agro
