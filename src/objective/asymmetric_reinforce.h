#pragma once
// Asymmetric REINFORCE: off-policy REINFORCE with a baseline below the mean (Arnal et al., arXiv 2506.20520).
#include <memory>

#include "objective/objective.h"

namespace agro {

struct AsymmetricReinforceOptions {
  /// Added to the group's mean reward to make the baseline; δV of the paper, which advises slightly negative ones and
  /// sees runs collapse at 0 and above. -0.1 as in Trinity-RFT.
  double baseline_shift = -0.1;
};

/// Mean over prompts of the mean over responses of
///
///   -(r_i - r̄ - δV) log π(y_i|x),   r̄: mean of the whole group
///
/// Neither a reference nor importance weights enter, so β and μ are not read. For tables, y ~ μ and large groups, with
/// V = E_μ r + δV: δV < 0 ends at π = max(μ (r - V) - τ, 0)/(-δV), τ ≥ 0 chosen to normalise; at δV ≥ 0 it collapses
/// onto one response. Valid for responses from anywhere: as an improvement on μ, not as a way to π*.
/// Metrics beside the common ones: positive_fraction (share of responses above the baseline).
/// Throws Error for a δV that is not finite.
std::unique_ptr<Objective> make_asymmetric_reinforce(const AsymmetricReinforceOptions& options);

}  // namespace agro
