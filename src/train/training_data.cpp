#include "train/training_data.h"

#include <cmath>
#include <unordered_map>

#include "core/log.h"
#include "data/completions.h"
#include "data/text_tools.h"

namespace agro {
namespace {

std::vector<StoredGroup> read_stored(const DataConfig& data) {
  if (data.completions.empty()) return {};
  const std::vector<Path> paths(data.completions.begin(), data.completions.end());
  return read_completions(paths, prompt_options(data));
}

/// Prompts of the run, and for each of them its stored completions (null: none).
struct Joined {
  std::vector<PromptRecord> prompts;
  std::vector<const StoredGroup*> stored;
};

Joined join(const DataConfig& data, const std::vector<StoredGroup>& groups) {
  Joined joined;
  if (data.prompts.empty()) {
    for (const StoredGroup& g : groups) joined.prompts.push_back(g.prompt), joined.stored.push_back(&g);
    return joined;
  }
  std::unordered_map<std::string, const StoredGroup*> by_prompt;
  for (const StoredGroup& g : groups) by_prompt.emplace(prompt_identity(g.prompt), &g);
  size_t found = 0;
  joined.prompts = read_prompts(data.prompts, prompt_options(data));
  for (const PromptRecord& prompt : joined.prompts) {
    const auto at = by_prompt.find(prompt_identity(prompt));
    joined.stored.push_back(at == by_prompt.end() ? nullptr : at->second);
    found += at == by_prompt.end() ? 0 : 1;
  }
  if (found < groups.size())
    log_warning("data", "{} of {} prompts with stored responses are not in {} and are not used", groups.size() - found,
                groups.size(), data.prompts);
  return joined;
}

void check_length(const PromptRecord& prompt, size_t tokens, int64_t max_positions) {
  if (static_cast<int64_t>(tokens) > max_positions)
    throw fail("prompt '{}': {} tokens are more than the model's {} positions", prompt.id, tokens, max_positions)
        .hint("drop it, shorten it, or use a model with a longer context");
}

/// Computes what the files left out and removes what rewards.truncated drops.
void complete_rewards(TrainingData& data, TotalReward& reward) {
  std::vector<const PromptRecord*> prompts;
  std::vector<Response*> missing;
  for (size_t p = 0; p < data.prompts.size(); ++p)
    for (Response& response : data.stored[p])
      if (std::isnan(response.reward)) prompts.push_back(&data.prompts[p]), missing.push_back(&response);
  if (missing.empty()) return;
  const std::vector<bool> dropped = reward_responses(reward, prompts, missing);
  for (size_t i = 0; i < missing.size(); ++i)
    if (dropped[i]) missing[i]->ids.clear();
  for (auto& responses : data.stored) std::erase_if(responses, [](const Response& r) { return r.ids.empty(); });
}

}  // namespace

std::vector<bool> reward_responses(TotalReward& reward, const std::vector<const PromptRecord*>& prompt_of,
                                   const std::vector<Response*>& responses) {
  std::vector<RewardQuery> queries;
  for (size_t i = 0; i < responses.size(); ++i)
    queries.push_back(
        {prompt_of[i]->text, responses[i]->text, prompt_of[i]->answer, &prompt_of[i]->record, !responses[i]->finished});
  const RewardScores scores = reward.score(queries);
  for (size_t i = 0; i < responses.size(); ++i) {
    responses[i]->reward = scores.total[i];
    responses[i]->reward_parts.clear();
    for (const auto& part : scores.parts) responses[i]->reward_parts.push_back(part[i]);
  }
  return scores.dropped;
}

TrainingData load_training_data(const DataConfig& data, const GroupConfig& group, const Encoders& encoders,
                                TotalReward& reward, int64_t max_positions) {
  if (data.prompts.empty() && data.completions.empty())
    throw Error("no training data").hint("set data.prompts, data.completions, or both");
  if (group.stored_per_group > 0 && data.completions.empty())
    throw Error("group.stored_per_group > 0 needs stored responses").hint("set data.completions");
  if (group.fresh_per_group + group.stored_per_group < 2)
    throw fail("a group needs at least two responses, found fresh_per_group = {} and stored_per_group = {}",
               group.fresh_per_group, group.stored_per_group);
  const std::vector<StoredGroup> groups = read_stored(data);
  Joined joined = join(data, groups);
  TrainingData result;
  int64_t stored_count = 0;
  for (size_t p = 0; p < joined.prompts.size(); ++p) {
    const StoredGroup* stored = group.stored_per_group > 0 ? joined.stored[p] : nullptr;
    if (stored == nullptr && group.fresh_per_group == 0) continue;
    PromptRecord& prompt = joined.prompts[p];
    add_system_prompt(prompt, data.system_prompt);
    TokenIds ids = encode_prompt(prompt, encoders);
    check_length(prompt, ids.size(), max_positions);
    std::vector<Response> responses;
    if (stored != nullptr) {
      for (const StoredCompletion& completion : stored->completions) {
        responses.push_back(to_response(completion, encoders));
        check_length(prompt, ids.size() + responses.back().ids.size() - 1, max_positions);
      }
    }
    stored_count += static_cast<int64_t>(responses.size());
    result.prompts.push_back(std::move(prompt));
    result.prompt_ids.push_back(std::move(ids));
    result.stored.push_back(std::move(responses));
  }
  if (result.prompts.empty())
    throw Error("no prompt has stored responses, and fresh_per_group is 0: nothing to train on");
  complete_rewards(result, reward);
  log_info("data", "{} prompts, {} stored responses", result.prompts.size(), stored_count);
  return result;
}

}  // namespace agro
