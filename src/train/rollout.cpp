#include "train/rollout.h"

#include "data/stored_draw.h"

namespace agro {

RolloutSource::RolloutSource(const TrainingData& data, const GroupConfig& group, ResponseSampler sampler, uint64_t seed,
                             int64_t fewest_per_group)
    : data_(data),
      group_(group),
      sampler_(std::move(sampler)),
      seed_(seed),
      fewest_per_group_(static_cast<size_t>(fewest_per_group)),
      schedule_(data.prompts.size(), seed) {
  state_.draws.resize(data.prompts.size());
  state_.visits.resize(data.prompts.size());
}

void RolloutSource::restore(RolloutState state) {
  if (state.draws.size() != data_.prompts.size() || state.visits.size() != data_.prompts.size())
    throw fail("the checkpoint belongs to a run over {} prompts, found {}", state.draws.size(), data_.prompts.size())
        .hint("resume with the data the run began with");
  state_ = std::move(state);
}

Rollout RolloutSource::next(const CausalLm& policy, int64_t policy_version) {
  Rollout rollout;
  const auto prompts = static_cast<size_t>(group_.prompts_per_step);
  for (const size_t index : schedule_.batch(state_.position, prompts)) rollout.groups.push_back({index, {}});
  state_.position += prompts;
  if (group_.fresh_per_group > 0) add_fresh(policy, policy_version, rollout);
  if (group_.stored_per_group > 0) add_stored(rollout);
  rollout.skipped_groups = static_cast<int64_t>(
      std::erase_if(rollout.groups, [&](const RolloutGroup& g) { return g.items.size() < fewest_per_group_; }));
  return rollout;
}

void RolloutSource::add_fresh(const CausalLm& policy, int64_t policy_version, Rollout& rollout) {
  std::vector<DrawRequest> requests;
  for (const RolloutGroup& group : rollout.groups) {
    uint32_t& draws = state_.draws[group.prompt_index];
    requests.push_back({group.prompt_index, draws, group_.fresh_per_group});
    draws += static_cast<uint32_t>(group_.fresh_per_group);
  }
  auto drawn = sampler_.draw(policy, requests, Stream::kSampling, policy_version, &rollout.generation);
  for (size_t g = 0; g < rollout.groups.size(); ++g) {
    for (DrawnResponse& d : drawn[g]) {
      rollout.dropped_responses += d.dropped ? 1 : 0;
      if (!d.dropped) rollout.groups[g].items.push_back({std::move(d.response)});
    }
  }
}

void RolloutSource::add_stored(Rollout& rollout) {
  for (RolloutGroup& group : rollout.groups) {
    const std::vector<Response>& stored = data_.stored[group.prompt_index];
    const uint64_t visit = state_.visits[group.prompt_index]++;
    for (const size_t index :
         draw_stored(seed_, group.prompt_index, visit, stored.size(), static_cast<size_t>(group_.stored_per_group)))
      group.items.push_back({stored[index], static_cast<int64_t>(index)});
  }
}

}  // namespace agro
