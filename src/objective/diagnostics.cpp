#include "objective/diagnostics.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "objective/kl.h"

namespace agro {
namespace {

template <class T>
std::vector<T> to_vector(const at::Tensor& x, at::ScalarType dtype) {
  const at::Tensor values = x.detach().to(at::kCPU, dtype).contiguous();
  return {values.data_ptr<T>(), values.data_ptr<T>() + values.numel()};
}

/// The values of each group, [G] vectors.
std::vector<std::vector<double>> by_group(const at::Tensor& x, const at::Tensor& group) {
  const std::vector<double> values = to_vector<double>(x, at::kDouble);
  const std::vector<int64_t> index = to_vector<int64_t>(group, at::kLong);
  std::vector<std::vector<double>> groups(static_cast<size_t>(*std::max_element(index.begin(), index.end())) + 1);
  for (size_t i = 0; i < values.size(); ++i) groups[static_cast<size_t>(index[i])].push_back(values[i]);
  return groups;
}

double largest(std::span<const double> rewards, double beta) {
  if (rewards.empty()) throw Error("a value estimate needs at least one reward");
  if (!(beta >= 0)) throw fail("beta must be at least 0, found {}", beta);
  return *std::max_element(rewards.begin(), rewards.end());
}

/// β log mean_i exp((r_i - top)/β) ≤ 0; expm1 and log1p keep its digits where β is large.
double log_mean_exp(std::span<const double> rewards, double top, double beta) {
  if (beta == 0) return 0;
  double sum = 0;
  for (const double reward : rewards) sum += std::expm1((reward - top) / beta);
  return beta * std::log1p(sum / static_cast<double>(rewards.size()));
}

}  // namespace

double value_estimate(std::span<const double> rewards, double beta) {
  const double top = largest(rewards, beta);
  return top + log_mean_exp(rewards, top, beta);
}

double optimality_gap(std::span<const double> regularized_rewards, double beta) {
  const double top = largest(regularized_rewards, beta);
  double mean = 0;  // relative to the largest, so that equal rewards have a gap of exactly 0
  for (const double reward : regularized_rewards) mean += reward - top;
  mean /= static_cast<double>(regularized_rewards.size());
  return std::max(0.0, log_mean_exp(regularized_rewards, top, beta) - mean);  // below 0 only by rounding
}

bool LeakStatistics::leaks(double nats) const {
  if (rewarded_count + unrewarded_count == 0) return false;
  return (rewarded_count == 0 || rewarded < -nats) && (unrewarded_count == 0 || unrewarded < -nats);
}

std::map<std::string, LeakStatistics> leak_statistics(std::span<const double> log_ratios,
                                                      std::span<const double> rewards,
                                                      std::span<const std::string> sources, double threshold) {
  if (log_ratios.size() != rewards.size() || log_ratios.size() != sources.size())
    throw fail("leak statistics need one log-ratio, reward and source per response, found {}, {} and {}",
               log_ratios.size(), rewards.size(), sources.size());
  std::map<std::string, LeakStatistics> statistics;
  for (size_t i = 0; i < log_ratios.size(); ++i) {
    LeakStatistics& source = statistics[sources[i]];
    const bool rewarded = rewards[i] > threshold;
    (rewarded ? source.rewarded : source.unrewarded) += log_ratios[i];
    ++(rewarded ? source.rewarded_count : source.unrewarded_count);
  }
  for (auto& [name, source] : statistics) {
    if (source.rewarded_count > 0) source.rewarded /= static_cast<double>(source.rewarded_count);
    if (source.unrewarded_count > 0) source.unrewarded /= static_cast<double>(source.unrewarded_count);
  }
  return statistics;
}

Metrics common_metrics(const ObjectiveInput& input) {
  const auto groups = by_group(input.rewards, input.group);
  const auto equal = [](const std::vector<double>& rewards) {
    return std::all_of(rewards.begin(), rewards.end(), [&](double reward) { return reward == rewards.front(); });
  };
  // In double precision: one token that lost 90 nats already overflows a float32 k3.
  const at::Tensor k3 = kl_k3(input.logprobs.detach().to(at::kDouble), input.ref_logprobs.detach().to(at::kDouble));
  return {{"reward_mean", input.rewards.mean().item<double>()},
          {"equal_reward_groups", static_cast<double>(std::count_if(groups.begin(), groups.end(), equal)) /
                                      static_cast<double>(groups.size())},
          {"log_ratio_mean", log_ratio(input).mean().item<double>()},
          {"kl_k3", sum_per_response(k3, input).mean().item<double>()}};
}

std::optional<double> mean_optimality_gap(const at::Tensor& regularized_rewards, const ObjectiveInput& input,
                                          double beta) {
  if (!input.on_policy.defined()) return std::nullopt;
  const auto values = by_group(regularized_rewards, input.group);
  const auto on_policy = by_group(input.on_policy, input.group);
  double sum = 0;
  int64_t prompts = 0;
  for (size_t g = 0; g < values.size(); ++g) {
    if (std::find(on_policy[g].begin(), on_policy[g].end(), 0.0) != on_policy[g].end()) continue;
    sum += optimality_gap(values[g], beta);
    ++prompts;
  }
  if (prompts == 0) return std::nullopt;
  return sum / static_cast<double>(prompts);
}

}  // namespace agro
