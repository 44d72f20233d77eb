#pragma once
// The prompts and logged responses of a run, tokenised and rewarded once at the start.
#include <vector>

#include "data/encode.h"
#include "data/group.h"
#include "objective/objective.h"
#include "reward/total_reward.h"
#include "train/config.h"

namespace agro {

struct TrainingData {
  std::vector<PromptRecord> prompts;
  std::vector<TokenIds> prompt_ids;
  std::vector<std::vector<Response>> stored;  // by prompt; empty where there are none
};

/// Reads config.data. Prompts come from data.prompts; where that is empty, from the completions. Stored responses join
/// their prompt; those of prompts that are not trained on are counted and reported. With fresh_per_group = 0, prompts
/// without stored responses are left out; so are, with a warning, prompts that are longer than the model. Missing
/// rewards are computed; truncated responses, rewarded or not, are treated as rewards.truncated says.
/// Throws Error for unreadable or empty data, a missing answer or reward, a stored response that does not fit the model
/// after its prompt, or where no prompt fits.
/// `needs` are the objective's.
TrainingData load_training_data(const TrainConfig& config, const ObjectiveNeeds& needs, const Encoders& encoders,
                                TotalReward& reward, const ModelLimits& limits);

/// Rewards responses[i] of prompt_of[i], in place. Returns which of them rewards.truncated = "drop" removes.
std::vector<bool> reward_responses(TotalReward& reward, const std::vector<const PromptRecord*>& prompt_of,
                                   const std::vector<Response*>& responses);

}  // namespace agro
