#pragma once
// Gradients as training sees them: from drawn groups, through an objective of the library.
#include <memory>
#include <span>
#include <string>

#include "lab/random.h"
#include "lab/tabular.h"
#include "objective/objective.h"

namespace agro {

/// A prompt at a moment: its policy, and what draws its responses.
struct SampledPrompt {
  const TabularPrompt* prompt = nullptr;
  Vector logprobs;  // [Y] of the policy
  Vector mu;        // [Y] probabilities of the behaviour
};

/// One group of n responses for each prompt, all of them one batch. Returns for each prompt [Y] the gradient of the
/// objective by the logits, as if its group were the whole batch where the objective averages over prompts.
/// The objective is told log μ as behaviour, the exact KL(π‖π_ref) as full-vocabulary KL, and the exact V*.
std::vector<Vector> sampled_gradients(const Objective& objective, std::span<const SampledPrompt> prompts, size_t n,
                                      bool on_policy, Random& random);

/// The named objective with this β and otherwise its defaults; the foil takes the exact KL.
/// Throws Error for an unknown name, and for an objective that reads pairs or a value head: a table has neither.
std::unique_ptr<Objective> laboratory_objective(const std::string& name, double beta);

/// Every name of the registry that laboratory_objective() accepts.
std::vector<std::string> usable_objectives();

/// The few that represent the others, for figures that stay legible.
std::vector<std::string> representative_objectives();

}  // namespace agro
