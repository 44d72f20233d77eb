#pragma once
// IPO: identity preference optimisation (Azar et al., arXiv 2310.12036).
#include <memory>

#include "objective/objective.h"
#include "objective/pairs.h"

namespace agro {

struct IpoOptions {
  double beta = 0.1;  // τ of the paper
  /// Log-ratios averaged over a response's tokens instead of summed. Not the paper's objective; TRL's "ipo".
  bool length_normalize = false;
  Pairing pairing = Pairing::kGiven;
};

/// With the margin h = ℓ_chosen - ℓ_rejected of a pair, ℓ = log π(y|x)/π_ref(y|x), the mean over prompts with pairs of
/// the mean over their pairs of
///
///   (h - 1/(2β))²
///
/// For pairs drawn independently from μ, π ∝ π_ref exp(p(y)/β) is the only minimiser, p(y) the probability that y is
/// preferred to another response of μ: finite even for preferences that never contradict themselves, but dependent on
/// μ, and blind to the size of rewards. Pairs of best and worst are selected, not independent: for them it does not
/// hold. Metrics beside the common ones: those of dpo. Throws Error for β ≤ 0.
std::unique_ptr<Objective> make_ipo(const IpoOptions& options);

}  // namespace agro
