#pragma once
// TOPR: tapered off-policy REINFORCE (Le Roux et al., arXiv 2503.14286).
#include <memory>

#include "objective/objective.h"

namespace agro {

struct ToprOptions {
  /// Subtracted from every reward. The paper takes rewards of ±1 and 0; with rewards of 1 and 0, as this program's
  /// graders give, 0.5 is the same up to a factor of 2, and 0 would leave out every wrong response.
  double baseline = 0.5;
  double truncate = 1;  // largest weight of a response below the baseline; the paper's
};

/// With A_i = r_i - baseline, the mean over prompts of the mean over responses of
///
///   -sg(α_i A_i) log π(y_i|x),   α_i = 1 where A_i ≥ 0, else min(π(y_i|x)/μ(y_i|x), c)
///
/// Good responses are imitated at full weight; the push against a bad one fades once π gives it less than μ did. No
/// reference enters, so β is not read. For tables its limit is π ∝ μ max(r - baseline, 0): bad responses vanish, and
/// good ones keep the proportions of the data. Valid for responses whose log-probabilities when they were drawn are
/// known; one response to a prompt is enough.
/// Metrics beside the common ones: negative_fraction, negative_weight_mean (of α, 0 where there is none).
/// Throws Error for c ≤ 0.
std::unique_ptr<Objective> make_topr(const ToprOptions& options);

}  // namespace agro
