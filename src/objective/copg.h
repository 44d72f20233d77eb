#pragma once
// CoPG: contrastive policy gradient (Flet-Berliac et al., arXiv 2406.19185).
#include <memory>

#include "objective/objective.h"

namespace agro {

struct CopgOptions {
  double beta = 0.1;
};

/// Mean over prompts of the mean over all pairs i < j of its responses of
///
///   (R_i - R_j)²,   R_i = r_i - β log π(y_i|x)/π_ref(y_i|x)
///
/// The paper draws two responses per prompt; every two of a larger group are as good. Since the squared differences of
/// n numbers add up to n times their squared deviations, this is 4 times AGRO's consistency loss for any n, value and
/// gradient: π* is the only minimiser, for responses from anywhere.
/// Metrics beside the common ones: pair_gap (root mean square of R_i - R_j).
/// Throws Error for β ≤ 0.
std::unique_ptr<Objective> make_copg(const CopgOptions& options);

}  // namespace agro
