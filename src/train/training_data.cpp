#include "train/training_data.h"

#include <fmt/ranges.h>

#include <cmath>
#include <unordered_map>

#include "core/log.h"
#include "data/completions.h"
#include "data/prompt_lengths.h"
#include "data/text_tools.h"

namespace agro {
namespace {

std::vector<StoredGroup> read_stored(const DataConfig& data, PromptOptions options) {
  if (data.completions.empty()) return {};
  const std::vector<Path> paths(data.completions.begin(), data.completions.end());
  options.require_answer = options.require_answer && data.prompts.empty();  // else the prompt file has them
  return read_completions(paths, options);
}

/// Prompts of the run, and for each of them its stored completions (null: none).
struct Joined {
  std::vector<PromptRecord> prompts;
  std::vector<const StoredGroup*> stored;
};

Joined join(const DataConfig& data, const PromptOptions& options, const std::vector<StoredGroup>& groups) {
  Joined joined;
  if (data.prompts.empty()) {
    for (const StoredGroup& g : groups) joined.prompts.push_back(g.prompt), joined.stored.push_back(&g);
    return joined;
  }
  std::unordered_map<std::string, const StoredGroup*> by_prompt;
  for (const StoredGroup& g : groups) by_prompt.emplace(prompt_identity(g.prompt), &g);
  size_t found = 0;
  joined.prompts = read_prompts(data.prompts, options);
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

/// Computes the rewards the files left out, and does with truncated responses what rewards.truncated says.
void complete_rewards(TrainingData& data, TotalReward& reward) {
  std::vector<const PromptRecord*> prompts;
  std::vector<Response*> missing;
  const auto drop = [](Response& response) { response.ids.clear(); };
  for (size_t p = 0; p < data.prompts.size(); ++p) {
    for (Response& response : data.stored[p]) {
      if (std::isnan(response.reward)) {
        prompts.push_back(&data.prompts[p]), missing.push_back(&response);
      } else if (!response.finished && reward.cut_short(response.reward)) {
        drop(response);
      }
    }
  }
  if (!missing.empty()) {
    const std::vector<bool> dropped = reward_responses(reward, prompts, missing);
    for (size_t i = 0; i < missing.size(); ++i)
      if (dropped[i]) drop(*missing[i]);
  }
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

TrainingData load_training_data(const TrainConfig& config, const ObjectiveNeeds& needs, const Encoders& encoders,
                                TotalReward& reward, const ModelLimits& limits) {
  const DataConfig& data = config.data;
  const GroupConfig& group = config.group;
  if (data.prompts.empty() && data.completions.empty())
    throw Error("no training data").hint("set data.prompts, data.completions, or both");
  if (group.stored_per_group > 0 && data.completions.empty())
    throw Error("group.stored_per_group > 0 needs stored responses").hint("set data.completions");
  if (group.fresh_per_group + group.stored_per_group < 1)
    throw Error("a group needs responses, found group.fresh_per_group = 0 and group.stored_per_group = 0");
  PromptOptions options = prompt_options(data);
  options.require_answer = (group.fresh_per_group > 0 || needs.optimal_values) && reward.needs_answer();
  const std::vector<StoredGroup> groups = read_stored(data, options);
  Joined joined = join(data, options, groups);
  TrainingData result;
  PromptLengths lengths(data.prompts.empty() ? fmt::format("{}", fmt::join(data.completions, ", ")) : data.prompts,
                        limits.positions);
  int64_t stored_count = 0;
  for (size_t p = 0; p < joined.prompts.size(); ++p) {
    const StoredGroup* stored = group.stored_per_group > 0 ? joined.stored[p] : nullptr;
    if (stored == nullptr && group.fresh_per_group == 0) continue;
    PromptRecord& prompt = joined.prompts[p];
    add_system_prompt(prompt, data.system_prompt);
    TokenIds ids = encode_prompt(prompt, encoders);
    if (!lengths.fits(ids)) continue;
    check_fits(prompt, ids, {}, limits);
    std::vector<Response> responses;
    if (stored != nullptr) {
      for (const StoredCompletion& completion : stored->completions) {
        responses.push_back(to_response(completion, encoders));
        check_fits(prompt, ids, responses.back().ids, limits);
      }
    }
    stored_count += static_cast<int64_t>(responses.size());
    result.prompts.push_back(std::move(prompt));
    result.prompt_ids.push_back(std::move(ids));
    result.stored.push_back(std::move(responses));
  }
  lengths.report("left out");
  if (result.prompts.empty())
    throw Error("no prompt has stored responses, and fresh_per_group is 0: nothing to train on");
  complete_rewards(result, reward);
  log_info("data", "{} prompts, {} stored responses", result.prompts.size(), stored_count);
  return result;
}

}  // namespace agro
