#pragma once
// CISPO: clipped importance weights instead of clipped updates (MiniMax, "MiniMax-M1", arXiv 2506.13585).
#include <memory>

#include "objective/advantage.h"
#include "objective/kl.h"

namespace agro {

struct CispoOptions {
  double beta = 0.1;  // of the KL penalty per token, which the paper leaves out
  KlEstimator kl_estimator = KlEstimator::kK3;
  double truncate = 5;  // largest weight of a token (TRL's advice after ScaleRL; the paper does not tell its own)
  Standardize standardize = Standardize::kGroup;
};

/// With ρ_t = π(y_t|·)/π_old(y_t|·) and A_i = (r_i - r̄)/(σ + 1e-4), the mean over all tokens of the batch of
///
///   -sg(min(ρ_t, truncate)) A_i log π(y_t|·) + β KL_t       (sg: no gradient)
///
/// A capped token keeps its gradient, where PPO's clip drops it; there is no lower bound, as in the paper's runs.
/// π_old is behavior_logprobs. Valid for responses of a recent policy; what grpo.h says of its fixed point holds here.
/// Metrics beside the common ones: truncated_fraction (of tokens), kl_penalty (absent for β = 0).
/// Throws Error for β < 0, and for truncate ≤ 0.
std::unique_ptr<Objective> make_cispo(const CispoOptions& options);

}  // namespace agro
