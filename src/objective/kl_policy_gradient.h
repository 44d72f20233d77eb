#pragma once
// KL-regularised policy gradient, run on whatever data there is: what AGRO is compared with (the paper's foil, A11).
#include <memory>

#include "objective/kl.h"

namespace agro {

struct KlPolicyGradientOptions {
  double beta = 0.1;                            // of the KL penalty, in units of reward per nat
  KlEstimator kl_estimator = KlEstimator::kK3;  // as GRPO code does
};

/// Mean over prompts of the mean over responses of
///
///   -(r_i - r̄_{-i}) log π(y_i|x) + β Σ_t KL_t                  (A11)
///
/// The baseline leaves response i out, because the first term is then unbiased for y ~ μ with the baseline E_μ r; the
/// mean of all n would shrink it by (n-1)/n. At π = π_ref, and as β → 0, the gradient thus equals AGRO's.
/// Its on-policy fixed point is π* with k2 and the exact KL (for responses of one token; kl.h), another with k1 and k3;
/// for responses from elsewhere it is another, or there is none (spec §5).
/// Metrics beside the common ones: kl_penalty (mean Σ_t KL_t by the chosen estimator, nats).
/// Throws Error for β < 0.
std::unique_ptr<Objective> make_kl_policy_gradient(const KlPolicyGradientOptions& options);

}  // namespace agro
