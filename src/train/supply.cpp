#include "train/supply.h"

#include <algorithm>

#include "core/error.h"
#include "core/log.h"

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
  if (config.data.stored_behavior != "recorded") return;
  const Recorded count = recorded(data);
  if (needs.behavior_where_known && count.sums > 0 && count.sums < count.responses)
    throw fail(
        "objective '{}' uses the log-probabilities of whoever wrote a response where they are known, and {} of {} "
        "stored responses do not carry them: its loss would change from step to step",
        objective.name(), count.responses - count.sums, count.responses)
        .hint("record \"logprob\" for all of them or for none");
  if (!needs.behavior_logprobs && !needs.behavior_response_logprobs) return;
  const int64_t enough = needs.behavior_logprobs ? count.by_token : count.sums;
  if (enough == count.responses) return;
  throw fail(
      "objective '{}' weighs responses by the log-probabilities of whoever wrote them, and {} of {} stored responses "
      "do not carry {}",
      objective.name(), count.responses - enough, count.responses,
      needs.behavior_logprobs ? "these token by token (\"logprobs\")" : "these (\"logprob\" or \"logprobs\")")
      .hint(
          "data.stored_behavior = \"reference\" where the reference wrote them, \"policy\" to let every ratio begin at "
          "1; agro, trajectory_balance and copg learn from them as they are");
}

void check_moving_reference(const Objective& objective, const TrainConfig& config) {
  if (config.reference.update_every == 0) return;
  const ObjectiveNeeds needs = objective.needs();
  if (needs.optimal_values)
    throw fail("objective '{}' regresses onto V* of the reference it began with, and reference.update_every is {}",
               objective.name(), config.reference.update_every)
        .hint("reference.update_every = 0 keeps the reference as it is");
  if (config.group.stored_per_group > 0 && config.data.stored_behavior == "reference")
    throw fail(
        "data.stored_behavior = \"reference\" says that the reference wrote the stored responses, and "
        "reference.update_every = {} makes it another model",
        config.reference.update_every)
        .hint("reference.update_every = 0 keeps the reference as it is");
}

void check_on_policy(const Objective& objective, const TrainConfig& config) {
  if (!objective.needs().on_policy) return;
  const auto refusal = [&](const std::string& what) {
    return fail("objective '{}' with these settings learns from responses of the current policy only, and {}",
                objective.name(), what)
        .hint("through_sampling = false and credit = \"sequence\" are valid for responses from anywhere");
  };
  if (config.group.stored_per_group > 0)
    throw refusal(fmt::format("group.stored_per_group is {}", config.group.stored_per_group));
  if (config.train.updates_per_rollout > 1)
    throw refusal(fmt::format("train.updates_per_rollout is {}: after the first update they are an older policy's",
                              config.train.updates_per_rollout));
  if (!draws_from_policy(config))
    throw refusal("[sampling] or rewards.truncated = \"drop\" makes them another distribution's");
}

/// Groups of stored responses only: their sizes are known.
void check_group_sizes(const Objective& objective, const TrainConfig& config, const TrainingData& data) {
  if (config.group.fresh_per_group > 0) return;
  const auto fewest = static_cast<size_t>(objective.needs().group_size);
  const auto few = std::count_if(data.stored.begin(), data.stored.end(),
                                 [&](const std::vector<Response>& responses) { return responses.size() < fewest; });
  if (few == 0) return;
  if (few == static_cast<int64_t>(data.stored.size()))
    throw fail("objective '{}' compares responses to one prompt, and no prompt has two stored ones", objective.name())
        .hint("group.fresh_per_group > 0 adds fresh ones; agro_value learns from single responses");
  log_warning("train", "{} of {} prompts have too few stored responses to learn from, and are skipped", few,
              data.stored.size());
}

}  // namespace

StoredBehavior stored_behavior_named(const std::string& name) {
  if (name == "recorded") return StoredBehavior::kRecorded;
  if (name == "reference") return StoredBehavior::kReference;
  if (name == "policy") return StoredBehavior::kPolicy;
  throw fail("data.stored_behavior must be recorded, reference or policy, found '{}'", name);
}

bool draws_from_policy(const TrainConfig& config) {
  return config.sampling.unfiltered() && !config.sampling.greedy && config.rewards.truncated != "drop";
}

void check_supply(const Objective& objective, const TrainConfig& config, const TrainingData& data,
                  const TotalReward& reward) {
  const ObjectiveNeeds needs = objective.needs();
  const GroupConfig& group = config.group;
  if (needs.group_size > 1 && group.fresh_per_group + group.stored_per_group < 2)
    throw fail(
        "objective '{}' compares responses to one prompt: it needs at least two responses in a group, found "
        "fresh_per_group = {} and stored_per_group = {}",
        objective.name(), group.fresh_per_group, group.stored_per_group)
        .hint("agro_value, ppo, kto and rejection_sft learn from single responses");
  check_on_policy(objective, config);
  if (group.stored_per_group > 0) check_behavior(objective, config, data);
  if (needs.pairs)
    throw fail("objective '{}' needs given pairs of responses, which training does not supply", objective.name())
        .hint(
            "objective.pairing = \"best_worst\" forms pairs by reward; records with \"chosen\" and \"rejected\" count "
            "as "
            "responses with rewards 1 and 0");
  if (needs.optimal_values && reward.names().empty())
    throw fail(
        "objective '{}' needs V*, for which the reference's own responses are rewarded, and no reward is "
        "configured",
        objective.name())
        .hint("add a [[rewards.reward]]");
  check_moving_reference(objective, config);
  check_group_sizes(objective, config, data);
}

}  // namespace agro
