#pragma once
// REINFORCE++: PPO without a value head, its advantages standardised over the whole batch (Hu et al., arXiv
// 2501.03262).
#include <memory>

#include "objective/clip.h"
#include "objective/objective.h"

namespace agro {

struct ReinforcePpOptions {
  double beta = 0.1;  // of the KL that is subtracted from the reward, in units of reward per nat
  ClipRange clip{};
  double gamma = 1;  // the paper's
};

/// With A_t = γ^(|y|-t) r_i - β Σ_{s≥t} γ^(s-t) log π_old(y_s|·)/π_ref(y_s|·) and ρ_t = π(y_t|·)/π_old(y_t|·) ≤ e^80,
/// the mean over all tokens of the batch of
///
///   -min(ρ_t Â_t, clip(ρ_t, 1-ε_low, 1+ε_high) Â_t),   Â_t = (A_t - mean A) / sqrt(var A + 1e-8)
///
/// mean and (unbiased) variance over all tokens of the batch. π_old is behavior_logprobs. Valid for responses of a
/// recent policy; takes prompts of a single response, since its baseline is the batch and not the prompt.
/// Metrics beside the common ones: regularized_reward_mean, clip_fraction (of tokens).
/// Throws Error for β < 0, γ outside [0, 1], a refused clip range, and a batch of one token.
std::unique_ptr<Objective> make_reinforce_pp(const ReinforcePpOptions& options);

}  // namespace agro
