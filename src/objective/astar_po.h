#pragma once
// A*-PO: regression on the optimal advantage (Brantley et al., arXiv 2505.20686).
#include <memory>

#include "objective/objective.h"

namespace agro {

struct AstarPoOptions {
  double beta = 0.1;  // β₂ of the paper, whose code takes 0.001
};

/// Mean over prompts of the mean over responses of
///
///   (β ℓ_i + V*(x) - r_i)²,   ℓ_i = log π(y_i|x)/π_ref(y_i|x)
///
/// V*(x) = optimal_values, computed beforehand from responses of the reference: value_estimate(), β log mean exp(r/β).
/// The paper computes it with a β₁ = 0.5 of its own, from 8 responses. With the exact V* of the same β, π* is the only
/// minimiser for responses from anywhere; the paper draws one of the current policy per prompt. An error of V* moves
/// the minimiser: for tables to β log π/π_ref + κ π/μ = r - V*, κ chosen to normalise. With V* = mean_k R_k held fixed
/// it is 2(n-1)/n times AGRO's consistency loss, value and gradient. Metrics beside the common ones:
/// optimal_advantage_mean (of r - V*). Throws Error for β ≤ 0.
std::unique_ptr<Objective> make_astar_po(const AstarPoOptions& options);

}  // namespace agro
