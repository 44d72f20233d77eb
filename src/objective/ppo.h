#pragma once
// PPO as language models are trained with it: clipped ratio per token, a value head with generalised advantage
// estimation, the KL inside the reward (Schulman et al., arXiv 1707.06347; Ouyang et al., arXiv 2203.02155).
#include <memory>

#include "objective/clip.h"
#include "objective/objective.h"

namespace agro {

struct PpoOptions {
  double beta = 0.1;  // of the KL that is subtracted from the reward, in units of reward per nat (TRL: 0.05)
  ClipRange clip{};
  double gamma = 1;  // these four: TRL's and OpenAI's defaults for language models
  double lambda = 0.95;
  double value_coefficient = 0.1;
  double value_clip = 0.2;  // in units of reward; 0 for no clipping
  bool whiten_advantages = true;
};

/// With token rewards r_t = -β log π_old(y_t|·)/π_ref(y_t|·), plus r_i at the last token, advantages A_t by GAE(γ, λ)
/// from V_old, returns G_t = A_t + V_old,t, and ρ_t = π(y_t|·)/π_old(y_t|·) ≤ e^80, the mean over all tokens of
///
///   -min(ρ_t Â_t, clip(ρ_t, 1-ε_low, 1+ε_high) Â_t)
///   + value_coefficient · ½ max((V_t - G_t)², (clip(V_t, V_old,t ± value_clip) - G_t)²)
///
/// Â: A less its mean over the batch's tokens, divided by their standard deviation, unless whiten_advantages is off.
/// π_old is behavior_logprobs, V_old is old_values (values themselves where those are missing, as in the first pass
/// over fresh responses). Valid for responses of a recent policy; takes prompts of a single response. Metrics beside
/// the common ones: regularized_reward_mean, policy_loss, value_loss, clip_fraction (of tokens). Throws Error for
/// options out of range: β < 0, γ or λ outside [0, 1], a negative coefficient or clip.
std::unique_ptr<Objective> make_ppo(const PpoOptions& options);

}  // namespace agro
