#pragma once
// Online policy mirror descent as Kimi k1.5 does it (arXiv 2501.12599, section 2.3.2): a squared regression.
#include <memory>

#include "objective/objective.h"

namespace agro {

/// What stands for β log Z(x). kMean: the group's mean reward, Kimi's choice. kLogMeanExp: β log mean_k exp(r_k/β), the
/// estimate that is right for many responses of μ.
enum class Partition { kMean, kLogMeanExp };

struct OpmdOptions {
  double beta = 0.1;  // τ of the report, which gives no value
  Partition partition = Partition::kMean;
};

/// Mean over prompts of the mean over responses of
///
///   1/(2β) (r_i - b - β ℓ'_i)²,   ℓ'_i = log π(y_i|x)/μ(y_i|x),   b: r̄ or β log mean exp(r/β)
///
/// whose gradient is the report's: -(r_i - b) ∇log π(y_i|x) + β/2 ∇ℓ'_i². μ = behavior_logprobs: the policy at the
/// start of the iteration; π_ref is not read. Valid for responses of that one policy. For tables the minimiser solves
/// β log π/μ + κ π/μ = r - b, κ chosen to normalise: with kLogMeanExp κ → 0 and π ∝ μ exp(r/β); with kMean κ ≥ 0 is an
/// additional χ² penalty (Xu et al., arXiv 2602.05933). AGRO's baseline, the mean of R instead of r, has no such term.
/// Metrics beside the common ones: behavior_log_ratio_mean (of ℓ').
/// Throws Error for β ≤ 0.
std::unique_ptr<Objective> make_opmd(const OpmdOptions& options);

}  // namespace agro
