#pragma once
// REINFORCE (Williams, 1992) with the mean of a prompt's responses as baseline, and a KL in the loss.
#include <memory>

#include "objective/advantage.h"
#include "objective/kl.h"

namespace agro {

struct ReinforceOptions {
  double beta = 0.1;  // of the KL penalty, in units of reward per nat; 0 for none
  KlEstimator kl_estimator = KlEstimator::kK3;
  Standardize standardize = Standardize::kNone;
};

/// Mean over prompts of the mean over responses of
///
///   -A_i log π(y_i|x) + β Σ_t KL_t,   A_i = r_i - r̄, divided by a standard deviation where options say so
///
/// r̄ includes response i, so that without the KL the gradient is (n-1)/n of leave-one-out REINFORCE's (for n responses
/// to every prompt, that is a KL stronger by n/(n-1)). Valid for responses of the current policy. What standardising
/// and the estimators of the KL do to its fixed point: see grpo.h and kl.h. Metrics beside the common ones: kl_penalty
/// (mean Σ_t KL_t by the chosen estimator, nats). Throws Error for β < 0.
std::unique_ptr<Objective> make_reinforce(const ReinforceOptions& options);

}  // namespace agro
