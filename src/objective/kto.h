#pragma once
// KTO: Kahneman-Tversky optimisation from single good and bad responses (Ethayarajh et al., arXiv 2402.01306).
#include <memory>

#include "objective/objective.h"

namespace agro {

/// z of the loss. kBatch: max(0, mean of ℓ over the batch), no gradient. kZero: 0.
enum class ReferencePoint { kBatch, kZero };

struct KtoOptions {
  double beta = 0.1;              // the paper's
  double reward_threshold = 0.5;  // a response is desirable if its reward exceeds it
  double desirable_weight = 1;    // λ_D and λ_U of the paper; it wants λ_D n_D / (λ_U n_U) in [1, 4/3]
  double undesirable_weight = 1;
  ReferencePoint reference_point = ReferencePoint::kBatch;
};

/// Mean over prompts of the mean over responses of, with ℓ_i = log π(y_i|x)/π_ref(y_i|x),
///
///   λ_D (1 - σ(β (ℓ_i - z)))   desirable
///   λ_U (1 - σ(β (z - ℓ_i)))   undesirable
///
/// z stands for KL(π‖π_ref). The paper estimates it from responses of other prompts of the batch, which costs a forward
/// pass; kBatch takes the batch's own ℓ, unbiased for responses of the current policy and another reference point for
/// others. Losses saturate on both sides: a response far above or below z has no gradient. With labels that depend on
/// the response alone there is no fixed point in the interior: undesirable responses go to probability zero, and the
/// size of a reward does not matter. One response to a prompt is enough, from anywhere. Metrics beside the common ones:
/// desirable_fraction, reference_point. Throws Error for β ≤ 0 and negative weights.
std::unique_ptr<Objective> make_kto(const KtoOptions& options);

}  // namespace agro
