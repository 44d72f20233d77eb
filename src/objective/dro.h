#pragma once
// DRO-V: direct reward optimisation with a learned value (Richemond et al., arXiv 2405.19107).
#include <memory>

#include "objective/objective.h"

namespace agro {

struct DroOptions {
  double beta = 0.1;             // τ of the paper
  double value_coefficient = 1;  // of the value's own loss
};

/// Mean over prompts of the mean over responses of
///
///   1/(2β) (R_i - sg V(x))² + c_V/2 (sg R_i - V(x))²,   R_i = r_i - β log π(y_i|x)/π_ref(y_i|x)
///
/// Both terms are ½ (R - V)², the first for the policy, the second for the value; the policy's is divided by β as the
/// paper's update is, so that its gradient -(r - V) ∇log π + β/2 ∇(log π/π_ref)² compares with a policy gradient. V(x)
/// is the value head's before a response's first token. One response to a prompt is enough, from anywhere; with a V for
/// every prompt, π = π* and V = V* is the only minimiser.
/// Metrics beside the common ones: value_mean, value_loss (mean ½ (R - V)²).
/// Throws Error for β ≤ 0 and c_V < 0.
std::unique_ptr<Objective> make_dro(const DroOptions& options);

}  // namespace agro
