#pragma once
// Figures that tell how a policy stands: the distance from the optimum, and the drain of probability on stored data.
// Plain numbers in, plain numbers out; see spec §7 and §9.
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "objective/objective.h"

namespace agro {

/// V̂*(x) = β log mean_i exp(r_i/β) of one prompt, in units of reward. With rewards of π_ref's own responses it
/// estimates what the optimal policy reaches (A2); from below, for finite n. β = 0 gives its limit, the largest reward.
/// Throws Error if `rewards` is empty, or β is negative.
double value_estimate(std::span<const double> rewards, double beta);

/// β log mean_i exp(R_i/β) - mean_i R_i ≥ 0 (A12): how far one prompt is from its optimum, from regularised rewards of
/// responses drawn from the current policy. Biased low for finite n, and blind to what the policy no longer samples.
double optimality_gap(std::span<const double> regularized_rewards, double beta);

/// Mean log(π/π_ref) in nats per response, rewarded and unrewarded responses apart.
struct LeakStatistics {
  double rewarded = 0, unrewarded = 0;  // 0 where there are none
  int64_t rewarded_count = 0, unrewarded_count = 0;

  /// Whether both means fell by more than `nats`: probability drains out of everything stored (spec §9).
  bool leaks(double nats) const;
};

/// One entry for each source, in its name's order. A response counts as rewarded if its reward exceeds `threshold`.
/// The three spans run over the same responses; throws Error if their lengths differ.
std::map<std::string, LeakStatistics> leak_statistics(std::span<const double> log_ratios,
                                                      std::span<const double> rewards,
                                                      std::span<const std::string> sources, double threshold = 0.5);

/// The metrics every objective reports:
///   reward_mean, equal_reward_groups (share of prompts whose responses all earned the same),
///   log_ratio_mean (on-policy the "k1" estimate of KL(π‖π_ref)), kl_k3.
Metrics common_metrics(const ObjectiveInput& input);

/// Mean over prompts of optimality_gap(), taken over the prompts whose responses all are on-policy.
/// regularized_rewards: [B]. Empty where no prompt qualifies, as when the batch does not say what is on-policy.
std::optional<double> mean_optimality_gap(const at::Tensor& regularized_rewards, const ObjectiveInput& input,
                                          double beta);

}  // namespace agro
