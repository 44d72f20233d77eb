#include "train/rollout.h"

#include "data/stored_draw.h"
#include "evaluate/evaluator.h"

namespace agro {

RolloutSource::RolloutSource(const TrainingData& data, const GroupConfig& group, const SamplingConfig& sampling,
                             const EngineOptions& engine, const Tokenizer* tokenizer, TotalReward& reward,
                             uint64_t seed)
    : data_(data),
      group_(group),
      sampling_(sampling),
      engine_(engine),
      tokenizer_(tokenizer),
      reward_(reward),
      seed_(seed),
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
  rollout.skipped_groups =
      static_cast<int64_t>(std::erase_if(rollout.groups, [](const RolloutGroup& g) { return g.items.size() < 2; }));
  return rollout;
}

void RolloutSource::add_fresh(const CausalLm& policy, int64_t policy_version, Rollout& rollout) {
  std::vector<GenerationRequest> requests;
  for (const RolloutGroup& group : rollout.groups) {
    requests.push_back({data_.prompt_ids[group.prompt_index], group.prompt_index, state_.draws[group.prompt_index],
                        group_.fresh_per_group});
    state_.draws[group.prompt_index] += static_cast<uint32_t>(group_.fresh_per_group);
  }
  auto completions =
      Engine(policy, tokenizer_, engine_).generate(requests, sampling_, seed_, Stream::kSampling, &rollout.generation);
  std::vector<const PromptRecord*> prompts;
  std::vector<Response*> responses;
  for (size_t g = 0; g < rollout.groups.size(); ++g) {
    for (Completion& completion : completions[g]) {
      RolloutItem item;
      item.response.text = completion_text(completion, tokenizer_, policy.config().eos_token_ids);
      item.response.ids = std::move(completion.ids);
      item.response.finished = completion.finish == FinishReason::kStop;
      item.response.policy_version = policy_version;
      double sum = 0;
      for (const float logprob : completion.logprobs) sum += static_cast<double>(logprob);
      item.response.behavior_logprob = sum;
      item.policy_logprobs = std::move(completion.logprobs);
      rollout.groups[g].items.push_back(std::move(item));
    }
    for (RolloutItem& item : rollout.groups[g].items) {
      prompts.push_back(&data_.prompts[rollout.groups[g].prompt_index]);
      responses.push_back(&item.response);
    }
  }
  const std::vector<bool> dropped = reward_responses(reward_, prompts, responses);
  size_t next = 0;
  for (RolloutGroup& group : rollout.groups)
    rollout.dropped_responses +=
        static_cast<int64_t>(std::erase_if(group.items, [&](const RolloutItem&) { return dropped[next++]; }));
}

void RolloutSource::add_stored(Rollout& rollout) {
  for (RolloutGroup& group : rollout.groups) {
    const std::vector<Response>& stored = data_.stored[group.prompt_index];
    const uint64_t visit = state_.visits[group.prompt_index]++;
    for (const size_t index :
         draw_stored(seed_, group.prompt_index, visit, stored.size(), static_cast<size_t>(group_.stored_per_group)))
      group.items.push_back({stored[index], {}, static_cast<int64_t>(index)});
  }
}

}  // namespace agro
