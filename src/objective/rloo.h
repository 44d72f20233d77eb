#pragma once
// RLOO: REINFORCE with a leave-one-out baseline (Ahmadian et al., arXiv 2402.14740), with the KL inside the reward.
#include <memory>

#include "objective/objective.h"

namespace agro {

struct RlooOptions {
  double beta = 0.1;        // of the KL that is subtracted from the reward
  double clip_epsilon = 0;  // 0: REINFORCE; above: PPO's clip on the ratio of whole responses (0.2 in TRL)
};

/// With R_i = r_i - β (log π_old(y_i|x) - log π_ref(y_i|x)) and A_i = R_i - R̄_{-i}, both without gradient, the mean
/// over prompts of the mean over responses of
///
///   clip_epsilon = 0   -A_i log π(y_i|x)
///   clip_epsilon = ε   -min(ρ_i A_i, clip(ρ_i, 1-ε, 1+ε) A_i),   ρ_i = π(y_i|x)/π_old(y_i|x) ≤ e^80
///
/// π_old is the behaviour, by token or by response; the REINFORCE form takes the policy itself where neither is known,
/// and its gradient is then AGRO's. Valid for responses
/// of the current or a recent policy only: otherwise neither form follows the gradient of the regularised reward.
/// Metrics beside the common ones: regularized_reward_mean; clip_fraction with the clipped form.
/// Throws Error for β < 0, and for ε outside [0, 1).
std::unique_ptr<Objective> make_rloo(const RlooOptions& options);

}  // namespace agro
