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
  Vector logprobs;   // [Y] of the policy
  Vector mu;         // [Y] probabilities of the behaviour
  double value = 0;  // V(x), for objectives with a value head
};

/// A loss's derivatives by what a table has for a prompt.
struct SampledGradient {
  Vector logits;  // [Y]
  double value = 0;
};

/// One group of n responses for each prompt, all of them one batch. Returns for each prompt the gradient of the
/// objective, as if its group were the whole batch where the objective averages over prompts.
/// The objective is told log μ as behaviour, the exact KL(π‖π_ref) as full-vocabulary KL, and the exact V*. Its pairs
/// are the first two responses of a group, the next two, …, each ordered by reward, those of equal rewards left out.
std::vector<SampledGradient> sampled_gradients(const Objective& objective, std::span<const SampledPrompt> prompts,
                                               size_t n, bool on_policy, Random& random);

/// The named objective with this β and otherwise its defaults; kl_policy_gradient takes the exact KL.
/// Throws Error for an unknown name.
std::unique_ptr<Objective> laboratory_objective(const std::string& name, double beta);

/// The few that represent the others, for figures that stay legible.
std::vector<std::string> representative_objectives();

}  // namespace agro
