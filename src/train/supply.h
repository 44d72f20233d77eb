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
void check_supply(const Objective& objective, const TrainConfig& config, const TrainingData& data);

}  // namespace agro
