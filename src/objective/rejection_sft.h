#pragma once
// Rejection fine-tuning: the likelihood of the responses that earned a reward (RFT, Yuan et al., arXiv 2308.01825).
#include <memory>

#include "objective/objective.h"

namespace agro {

struct RejectionSftOptions {
  double reward_threshold = 0.5;  // a response is learnt from if its reward exceeds it
  bool length_normalize = false;  // log-probabilities averaged over a response's tokens instead of summed
};

/// Mean over prompts of the mean over all their responses of
///
///   -1[r_i > threshold] log π(y_i|x)
///
/// A rejected response adds nothing but counts in n, so that a prompt weighs by its share of accepted ones. For y ~ μ
/// the minimiser is π ∝ μ 1[r > threshold]: μ without its failures, with neither a reference nor β. One response to a
/// prompt is enough, from anywhere.
/// Metrics beside the common ones: accepted_fraction.
std::unique_ptr<Objective> make_rejection_sft(const RejectionSftOptions& options);

}  // namespace agro
