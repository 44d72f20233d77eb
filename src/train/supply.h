#pragma once
// Whether a run can give its objective what that reads.
#include "objective/objective.h"
#include "train/policy_update.h"
#include "train/training_data.h"

namespace agro {

/// "recorded", "reference", "policy". Throws Error otherwise.
StoredBehavior stored_behavior_named(const std::string& name);

/// Refuses, before the first step, an objective that needs what the run's data and settings do not give it: throws
/// Error that says what is missing and what would do. `config` is the run's, `data` what was loaded for it.
/// Warns of prompts whose groups are too small to learn from.
void check_supply(const Objective& objective, const TrainConfig& config, const TrainingData& data,
                  const TotalReward& reward);

/// Whether fresh responses are those of the policy itself: not tempered, not filtered, none left out.
bool draws_from_policy(const TrainConfig& config);

}  // namespace agro
