#include "train/optimal_values.h"

#include "objective/diagnostics.h"

namespace agro {

OptimalValues::OptimalValues(const CausalLm& reference, ResponseSampler sampler, double beta, int64_t samples)
    : reference_(reference), sampler_(std::move(sampler)), beta_(beta), samples_(samples) {}

Tensor OptimalValues::of(const Rollout& rollout) {
  std::vector<DrawRequest> missing;
  for (const RolloutGroup& group : rollout.groups)
    if (by_prompt_.emplace(group.prompt_index, 0).second) missing.push_back({group.prompt_index, 0, samples_});
  if (!missing.empty()) estimate(missing);
  std::vector<double> values;
  for (const RolloutGroup& group : rollout.groups) values.push_back(by_prompt_.at(group.prompt_index));
  return torch::tensor(values, torch::kFloat64);
}

void OptimalValues::estimate(const std::vector<DrawRequest>& missing) {
  const auto drawn = sampler_.draw(reference_, missing, Stream::kReference, 0);
  for (size_t i = 0; i < missing.size(); ++i) {
    std::vector<double> rewards;
    for (const DrawnResponse& d : drawn[i]) rewards.push_back(d.response.reward);
    by_prompt_[missing[i].prompt_index] = value_estimate(rewards, beta_);
  }
}

}  // namespace agro
