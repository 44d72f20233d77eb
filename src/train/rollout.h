#pragma once
// The groups of one training step: prompts in their order, fresh responses from the policy, stored ones in turn.
#include <ATen/core/Tensor.h>

#include <vector>

#include "data/schedule.h"
#include "train/response_sampler.h"

namespace agro {

/// A response in a step's batch.
struct RolloutItem {
  Response response;
  int64_t stored_index = -1;  // which of the prompt's stored responses; −1: fresh

  bool fresh() const { return stored_index < 0; }
};

struct RolloutGroup {
  size_t prompt_index = 0;
  std::vector<RolloutItem> items;
};

struct Rollout {
  std::vector<RolloutGroup> groups;
  int64_t skipped_groups = 0;     // left with too few responses
  int64_t dropped_responses = 0;  // by rewards.truncated = "drop"
  GenerationStatistics generation;

  // Left by the first update, for further ones from the same responses.
  int64_t updates = 0;        // made so far; at 0 the fresh responses are the current policy's
  at::Tensor ref_logprobs;    // by token, packed in the order above: [Σ lengths] float64
  at::Tensor first_logprobs;  // the policy's before the first update, likewise
  at::Tensor old_values;      // the value head's before the first update; undefined without one
};

/// What must be remembered to go on exactly: everything else follows from the seed.
struct RolloutState {
  uint64_t position = 0;         // prompts handed out
  std::vector<uint32_t> draws;   // fresh responses drawn so far, by prompt
  std::vector<uint64_t> visits;  // stored draws made so far, by prompt
};

class RolloutSource {
 public:
  /// Groups of fewer than `fewest_per_group` responses are skipped. `data` must outlive the source.
  RolloutSource(const TrainingData& data, const GroupConfig& group, ResponseSampler sampler, uint64_t seed,
                int64_t fewest_per_group = 2);

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
  ResponseSampler sampler_;
  uint64_t seed_;
  size_t fewest_per_group_;
  PromptSchedule schedule_;
  RolloutState state_;
};

}  // namespace agro
