#pragma once
// GVPO: group variance policy optimisation (Zhang et al., arXiv 2504.19599).
#include <memory>

#include "objective/objective.h"

namespace agro {

struct GvpoOptions {
  double beta = 0.1;  // the authors' code
};

/// Mean over prompts of
///
///   1/(2(n-1)) Σ_i [ (β ℓ'_i - mean_k β ℓ'_k) - (r_i - r̄) ]²,   ℓ'_i = log π(y_i|x)/μ(y_i|x)
///
/// Its reference is μ = behavior_logprobs, the policy that drew the responses, as in the authors' code: π_ref is not
/// read. Where behavior_logprobs are π_ref's, it is AGRO's consistency loss exactly (loss_scale "none", factor 1). For
/// responses of one μ the minimiser is π ∝ μ exp(r/β); a run that draws anew goes on to ever larger rewards, since
/// every step is anchored at the policy before it. A group whose responses come from different policies has no such
/// minimiser. Metrics beside the common ones: behavior_log_ratio_mean (of ℓ'). Throws Error for β ≤ 0.
std::unique_ptr<Objective> make_gvpo(const GvpoOptions& options);

}  // namespace agro
