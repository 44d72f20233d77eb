#include "train/supply.h"

#include "core/error.h"

namespace agro {
namespace {

/// Stored responses, and those of them that record log-probs by token or at least their sum.
struct Recorded {
  int64_t responses = 0, by_token = 0, sums = 0;
};

Recorded recorded(const TrainingData& data) {
  Recorded count;
  for (const auto& responses : data.stored) {
    for (const Response& response : responses) {
      const bool tokens = !response.behavior_logprobs.empty();
      ++count.responses;
      count.by_token += tokens ? 1 : 0;
      count.sums += tokens || response.behavior_logprob ? 1 : 0;
    }
  }
  return count;
}

void check_behavior(const Objective& objective, const TrainConfig& config, const TrainingData& data) {
  const ObjectiveNeeds needs = objective.needs();
  if (config.data.stored_behavior != "recorded" || !(needs.behavior_logprobs || needs.behavior_response_logprobs))
    return;
  const Recorded count = recorded(data);
  const int64_t enough = needs.behavior_logprobs ? count.by_token : count.sums;
  if (enough == count.responses) return;
  throw fail(
      "objective '{}' weighs responses by the log-probabilities of whoever wrote them, and {} of {} stored responses "
      "do not carry {}",
      objective.name(), count.responses - enough, count.responses,
      needs.behavior_logprobs ? "these token by token (\"logprobs\")" : "these (\"logprob\" or \"logprobs\")")
      .hint(
          "data.stored_behavior = \"reference\" where the reference wrote them, \"policy\" to set every ratio to 1; "
          "agro, trajectory_balance and copg learn from them as they are");
}

void check_moving_reference(const ObjectiveNeeds& needs, const Objective& objective, const TrainConfig& config) {
  if (config.reference.update_every == 0 || !needs.optimal_values) return;
  throw fail("objective '{}' regresses onto V* of the reference it began with, and reference.update_every is {}",
             objective.name(), config.reference.update_every)
      .hint("reference.update_every = 0 keeps the reference as it is");
}

}  // namespace

StoredBehavior stored_behavior_named(const std::string& name) {
  if (name == "recorded") return StoredBehavior::kRecorded;
  if (name == "reference") return StoredBehavior::kReference;
  if (name == "policy") return StoredBehavior::kPolicy;
  throw fail("data.stored_behavior must be recorded, reference or policy, found '{}'", name);
}

void check_supply(const Objective& objective, const TrainConfig& config, const TrainingData& data) {
  const ObjectiveNeeds needs = objective.needs();
  const GroupConfig& group = config.group;
  if (needs.group_size > 1 && group.fresh_per_group + group.stored_per_group < 2)
    throw fail(
        "objective '{}' compares responses to one prompt: it needs at least two responses in a group, found "
        "fresh_per_group = {} and stored_per_group = {}",
        objective.name(), group.fresh_per_group, group.stored_per_group)
        .hint("agro_value, ppo, kto and rejection_sft learn from single responses");
  if (group.stored_per_group > 0) {
    if (needs.on_policy)
      throw fail(
          "objective '{}' with these settings learns from responses of the current policy only, and "
          "group.stored_per_group is {}",
          objective.name(), group.stored_per_group)
          .hint("through_sampling = false and credit = \"sequence\" are valid for responses from anywhere");
    check_behavior(objective, config, data);
  }
  if (needs.on_policy && config.train.updates_per_rollout > 1)
    throw fail(
        "objective '{}' with these settings learns from responses of the current policy only, and "
        "train.updates_per_rollout is {}: after the first update they are an older policy's",
        objective.name(), config.train.updates_per_rollout)
        .hint("set train.updates_per_rollout = 1");
  if (needs.pairs)
    throw fail("objective '{}' needs given pairs of responses, which training does not supply", objective.name())
        .hint(
            "objective.pairing = \"best_worst\" forms pairs by reward; records with \"chosen\" and \"rejected\" count "
            "as "
            "responses with rewards 1 and 0");
  check_moving_reference(needs, objective, config);
}

}  // namespace agro
