#pragma once
// The groups of one training step: prompts in their order, fresh responses from the policy, stored ones in turn.
#include <vector>

#include "data/schedule.h"
#include "generate/engine.h"
#include "train/training_data.h"

namespace agro {

/// A response in a step's batch.
struct RolloutItem {
  Response response;
  std::vector<float> policy_logprobs;  // by token, from the sampler; empty for stored responses
  int64_t stored_index = -1;           // which of the prompt's stored responses; −1: fresh
};

struct RolloutGroup {
  size_t prompt_index = 0;
  std::vector<RolloutItem> items;  // two or more
};

struct Rollout {
  std::vector<RolloutGroup> groups;
  int64_t skipped_groups = 0;     // left with fewer than two responses
  int64_t dropped_responses = 0;  // by rewards.truncated = "drop"
  GenerationStatistics generation;
};

/// What must be remembered to go on exactly: everything else follows from the seed.
struct RolloutState {
  uint64_t position = 0;         // prompts handed out
  std::vector<uint32_t> draws;   // fresh responses drawn so far, by prompt
  std::vector<uint64_t> visits;  // stored draws made so far, by prompt
};

class RolloutSource {
 public:
  /// The references must outlive the source.
  RolloutSource(const TrainingData& data, const GroupConfig& group, const SamplingConfig& sampling,
                const EngineOptions& engine, const Tokenizer* tokenizer, TotalReward& reward, uint64_t seed);

  /// The next step's groups, with the current policy. `policy_version` is noted in fresh responses.
  Rollout next(const CausalLm& policy, int64_t policy_version);

  const RolloutState& state() const { return state_; }
  /// Throws Error where the state belongs to other data.
  void restore(RolloutState state);

 private:
  void add_fresh(const CausalLm& policy, int64_t policy_version, Rollout& rollout);
  void add_stored(Rollout& rollout);

  const TrainingData& data_;
  GroupConfig group_;
  SamplingConfig sampling_;
  EngineOptions engine_;
  const Tokenizer* tokenizer_;
  TotalReward& reward_;
  uint64_t seed_;
  PromptSchedule schedule_;
  RolloutState state_;
};

}  // namespace agro
