#pragma once
// DPO: direct preference optimisation (Rafailov et al., arXiv 2305.18290).
#include <memory>

#include "objective/objective.h"
#include "objective/pairs.h"

namespace agro {

struct DpoOptions {
  double beta = 0.1;           // the paper's
  double label_smoothing = 0;  // ε: share of preferences that are assumed to be wrong (conservative DPO)
  Pairing pairing = Pairing::kGiven;
};

/// With the margin h = ℓ_chosen - ℓ_rejected of a pair, ℓ = log π(y|x)/π_ref(y|x), the mean over prompts with pairs of
/// the mean over their pairs of
///
///   -(1-ε) log σ(β h) - ε log σ(-β h)
///
/// For preferences that follow Bradley and Terry's model of rewards r, and ε = 0, π ∝ π_ref exp(r/β) is the only
/// minimiser, whatever drew the pairs, as long as they connect all responses. Preferences that never contradict
/// themselves, and so all that are formed from rewards, are not of that kind: h grows without bound for ε = 0, that of
/// a lone pair towards log((1-ε)/ε)/β otherwise, whatever the size of the rewards. Metrics beside the common ones:
/// pairs, pair_accuracy (share with h > 0), pair_margin (mean of β h, in units of reward). Throws Error for β ≤ 0, and
/// for ε outside [0, 0.5).
std::unique_ptr<Objective> make_dpo(const DpoOptions& options);

/// The metrics that DPO and IPO report, from the margins h [P] of their pairs.
void add_pair_metrics(Metrics& metrics, const at::Tensor& margin, double beta, const at::Tensor& pairs,
                      const ObjectiveInput& input);

}  // namespace agro
