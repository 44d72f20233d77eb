#pragma once
// Trajectory balance in VarGrad form: TBA (Bartoldson et al., arXiv 2503.18929).
#include <memory>

#include "objective/objective.h"

namespace agro {

struct TrajectoryBalanceOptions {
  double beta = 0.1;  // temperature of the posterior; TBA's own runs anneal 0.012 to 0.004 on GSM8K
};

/// Mean over prompts of
///
///   1/n Σ_i (log Ẑ + ℓ_i - r_i/β)²,   log Ẑ = sg(1/n Σ_k (r_k/β - ℓ_k)),   ℓ_i = log π(y_i|x)/π_ref(y_i|x)
///
/// The flow-matching loss of generative flow networks with its partition function estimated from the batch (Richter et
/// al., arXiv 2010.10436; Zhang et al., arXiv 2302.05446). It is 2(n-1)/(n β²) times AGRO's consistency loss, value and
/// gradient: the same minimiser π* for responses from anywhere, at a scale that grows as β falls. It reads the rewards
/// and the reference only.
/// Metrics beside the common ones: log_partition (mean of log Ẑ over prompts).
/// Throws Error for β ≤ 0.
std::unique_ptr<Objective> make_trajectory_balance(const TrajectoryBalanceOptions& options);

}  // namespace agro
