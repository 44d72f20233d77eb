#pragma once
// GSPO: group sequence policy optimisation (Zheng et al., arXiv 2507.18071), GRPO with one ratio per response.
#include <memory>

#include "objective/advantage.h"
#include "objective/clip.h"
#include "objective/kl.h"

namespace agro {

struct GspoOptions {
  double beta = 0.1;  // of the KL penalty per token, which the paper leaves out
  KlEstimator kl_estimator = KlEstimator::kK3;
  ClipRange clip{.low = 3e-4, .high = 4e-4};  // the paper's
  Standardize standardize = Standardize::kGroup;
};

/// With s_i = (π(y_i|x)/π_old(y_i|x))^(1/|y_i|) and A_i = (r_i - r̄)/(σ + 1e-4), the mean over prompts of the mean over
/// responses of
///
///   -min(s_i A_i, clip(s_i, 1-ε_low, 1+ε_high) A_i) + β (1/|y_i|) Σ_t KL_t
///
/// π_old is behavior_logprobs. Valid for responses of a recent policy; what grpo.h says of its fixed point holds here.
/// Metrics beside the common ones: clip_fraction (of responses), kl_penalty (absent for β = 0).
/// Throws Error for β < 0 and a refused clip range.
std::unique_ptr<Objective> make_gspo(const GspoOptions& options);

}  // namespace agro
