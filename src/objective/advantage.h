#pragma once
// Advantages: rewards made into weights of log-probabilities. All results are detached.
#include <ATen/core/Tensor.h>

#include "objective/objective.h"

namespace agro {

class Groups;

/// What the distance from the mean of a prompt's responses is divided by.
enum class Standardize { kNone, kGroup, kBatch };

/// (r_i - r̄) / (σ + 1e-4): [B], with r̄ the mean of all responses of the prompt, and σ the unbiased standard deviation
/// of the prompt's rewards or of the batch's; kNone does not divide. The 1e-4 is TRL's.
at::Tensor group_advantages(const at::Tensor& rewards, const Groups& groups, Standardize standardize);

/// (x - mean) / sqrt(variance + 1e-8), unbiased variance, over the whole batch: [N] -> [N].
/// Throws Error for a single value.
at::Tensor whiten(const at::Tensor& x);

/// -β log(π_old/π_ref) of every token, plus the response's reward at its last one: [N], in units of reward.
/// Needs behavior_logprobs (π_old). The reward of a response without tokens goes nowhere.
at::Tensor token_rewards(const ObjectiveInput& input, double beta);

/// Σ_{s≥t} decay^{s-t} x_s within each response: [N] -> [N], summed in float64.
at::Tensor discounted_sums(const at::Tensor& x, const at::Tensor& row, double decay);

/// Generalised advantage estimation (Schulman et al., arXiv 1506.02438):
/// Σ_{s≥t} (γλ)^{s-t} (r_s + γ V_{s+1} - V_s), V = 0 after a response's last token. rewards, values: [N] -> [N].
at::Tensor generalized_advantages(const at::Tensor& rewards, const at::Tensor& values, const at::Tensor& row,
                                  double gamma, double lambda);

}  // namespace agro
