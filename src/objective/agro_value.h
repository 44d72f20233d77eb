#pragma once
// AGRO for prompts of any number of responses: a prompt with a single one regresses on a learned value.
#include <memory>

#include "objective/agro.h"
#include "objective/objective.h"

namespace agro {

struct AgroValueOptions {
  double beta = 0.1;
  LossScale loss_scale = LossScale::kOneOverBeta;  // of the policy's part, as for agro
  double value_coefficient = 1;                    // of the value's own loss
};

/// Mean over prompts of
///
///   n ≥ 2   1/(2(n-1)) Σ_i (R_i - R̄)²   AGRO's consistency loss (A6)
///   n = 1   ½ (R_1 - sg V(x))²          the same variance about a learned mean, spec §6
///
/// times 1/β unless loss_scale is kNone, plus c_V times the mean over responses of ½ (sg R_i - V(x))². So V learns from
/// all prompts and serves those that cannot do without; a batch of groups is agro, one of single responses is dro. At
/// V = E_μ R both lines have the same expectation ½ Var R. The joint minimiser is π = π*, V = V*, for responses from
/// anywhere. V(x) is the value head's before a response's first token.
/// Metrics beside the common ones: regularized_reward_mean, single_fraction (of prompts), value_mean, value_loss.
/// Throws Error for β ≤ 0 and c_V < 0.
std::unique_ptr<Objective> make_agro_value(const AgroValueOptions& options);

}  // namespace agro
