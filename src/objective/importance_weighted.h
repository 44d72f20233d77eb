#pragma once
// Policy gradient on responses from elsewhere, each weighted by its truncated importance ratio.
#include <memory>

#include "objective/objective.h"

namespace agro {

struct ImportanceWeightedOptions {
  double beta = 0.1;  // of the KL that is subtracted from the reward
  /// Largest weight of a response. 1 as ρ̄ in IMPALA (arXiv 1802.01561), and in what TOPR's paper calls truncated
  /// importance sampling.
  double truncate = 1;
};

/// Mean over prompts of the mean over responses of
///
///   -sg(w_i (R_i - R̄_{-i})) log π(y_i|x),   w_i = min(π(y_i|x)/μ(y_i|x), c)
///
/// with R_i = r_i - β log π(y_i|x)/π_ref(y_i|x) and μ = behavior_logprobs, both of whole responses. Without truncation
/// this is an unbiased gradient of -(E r - β KL) for y_i ~ μ, at the variance of a product of token ratios; with it the
/// bias grows with the distance of μ from π, but π* stays a fixed point (R is constant there), and for tables the only
/// one in the interior. Valid for responses whose log-probabilities when they were drawn are known.
/// Metrics beside the common ones: regularized_reward_mean, truncated_fraction, effective_sample_share
/// ((Σw)²/(B Σw²)).
/// Throws Error for β < 0 and c ≤ 0.
std::unique_ptr<Objective> make_importance_weighted(const ImportanceWeightedOptions& options);

}  // namespace agro
