#pragma once
// AGRO: any-generation reward optimisation (Tang et al., arXiv 2503.19612), valid for responses from any source.
#include <memory>

#include "objective/objective.h"

namespace agro {

enum class LossScale { kOneOverBeta, kNone };
enum class AgroForm { kVariance, kSurrogate };
enum class Credit { kSequence, kToken };

struct AgroOptions {
  double beta = 0.1;  // strength of the KL regulariser, in units of reward per nat
  /// What is optimised: L̂/β, whose gradient is a policy gradient's in size, or L̂ itself.
  LossScale loss_scale = LossScale::kOneOverBeta;
  /// The number that is reported. The gradient is the same.
  AgroForm form = AgroForm::kVariance;
  /// Adds the gradient through the sampling distribution (A9). On-policy responses only.
  bool through_sampling = false;
  /// kToken: the weight of token t leaves out the log-ratios before t (A10). On-policy responses only.
  Credit credit = Credit::kSequence;
};

/// Consistency loss of a batch, mean over prompts of, with R_i = r_i - β log π(y_i|x)/π_ref(y_i|x),
///
///   kVariance   L̂ = 1/(2(n-1)) Σ_i (R_i - R̄)²                    (A6)
///   kSurrogate  L̂' = -(β/n) Σ_i sg(R_i - R̄_{-i}) log π(y_i|x)   (A7; sg: no gradient)
///
/// times 1/β unless loss_scale is kNone. ∇L̂ = ∇L̂'. Log-ratios are sums over tokens, and groups of equal rewards count:
/// their gradient pulls the policy's log-ratios together. β = 0 is leave-one-out REINFORCE (the surrogate's limit).
///
/// Metrics beside the common ones: regularized_reward_mean, consistency_loss (A6 unscaled), and, for prompts whose
/// responses are all on-policy, optimality_gap (A12, biased low).
/// Throws Error for β < 0, and for β = 0 with loss_scale kNone or through_sampling, where the loss vanishes or
/// diverges.
std::unique_ptr<Objective> make_agro(const AgroOptions& options);

/// R_i of every response: [B], in units of reward, differentiable.
at::Tensor regularized_rewards(const ObjectiveInput& input, double beta);

}  // namespace agro
