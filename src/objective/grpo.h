#pragma once
// GRPO: group-relative advantages under PPO's clip (Shao et al., "DeepSeekMath", arXiv 2402.03300), with the
// normalisations that BNPO, DAPO (Yu et al., arXiv 2503.14476) and Dr. GRPO (Liu et al., arXiv 2503.20783) put in
// place of its own, as TRL names them.
#include <memory>

#include "objective/advantage.h"
#include "objective/clip.h"
#include "objective/kl.h"

namespace agro {

/// What the sum over tokens is divided by.
enum class Normalization {
  kResponseLength,  // TRL "grpo": mean over prompts and responses of the mean over tokens
  kTokenCount,      // TRL "bnpo", "dapo": all tokens of the batch alike
  kConstantLength   // TRL "dr_grpo": mean over prompts and responses of the sum over tokens / a constant
};

struct GrpoOptions {
  double beta = 0.1;  // of the KL penalty per token (DeepSeekMath: 0.04; TRL: 0)
  KlEstimator kl_estimator = KlEstimator::kK3;
  ClipRange clip{};                               // DAPO's "clip-higher": {0.2, 0.28}
  Standardize standardize = Standardize::kGroup;  // Dr. GRPO: kNone
  Normalization normalization = Normalization::kResponseLength;
  int64_t constant_length = 0;  // tokens; for kConstantLength (TRL: the longest completion it generates)
};

/// With ρ_t = π(y_t|·)/π_old(y_t|·) ≤ e^80 and A_i = (r_i - r̄)/(σ + 1e-4), the normalised sum over tokens of
///
///   -min(ρ_t A_i, clip(ρ_t, 1-ε_low, 1+ε_high) A_i) + β KL_t
///
/// π_old is behavior_logprobs. Valid for responses of a recent policy. Dividing by lengths and by σ gives other weights
/// than the gradient of the regularised reward has, so the fixed point is not A2's optimum even on-policy, and β is
/// no longer in units of reward per nat of the response.
/// Metrics beside the common ones: clip_fraction (of tokens), kl_penalty (normalised as the loss is; absent for β = 0).
/// Throws Error for β < 0, a refused clip range, and kConstantLength without a length.
std::unique_ptr<Objective> make_grpo(const GrpoOptions& options);

}  // namespace agro
