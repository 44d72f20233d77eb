#include "reward/total_reward.h"

#include <cmath>
#include <set>

#include "core/error.h"
#include "reward/command_reward.h"
#include "reward/verifier_reward.h"

namespace agro {

std::unique_ptr<Reward> make_reward(const RewardConfig& config) {
  if (config.kind != "command")
    return std::make_unique<VerifierReward>(config.label(), find_verifier(config.kind), config.options);
  return std::make_unique<CommandReward>(
      config.label(), CommandOptions{config.command, config.timeout_seconds, static_cast<int>(config.restarts)});
}

TotalReward::TotalReward(const RewardsConfig& config) {
  if (config.truncated == "drop") {
    truncated_ = Truncated::kDrop;
  } else if (config.truncated == "zero_reward") {
    truncated_ = Truncated::kZeroReward;
  } else if (config.truncated != "keep") {
    throw fail("truncated = \"{}\", expected keep, drop or zero_reward", config.truncated);
  }
  std::set<std::string> seen;
  for (const RewardConfig& item : config.reward) {
    if (!seen.insert(item.label()).second)
      throw fail("two rewards are called '{}'", item.label()).hint("give each [[rewards.reward]] its own name");
    parts_.push_back({make_reward(item), item.weight});
    needs_answer_ = needs_answer_ || item.needs_answer();
  }
}

std::vector<std::string> TotalReward::names() const {
  std::vector<std::string> names;
  for (const Part& part : parts_) names.emplace_back(part.reward->name());
  return names;
}

bool TotalReward::cut_short(double& reward) const {
  if (truncated_ == Truncated::kZeroReward) reward = 0;
  return truncated_ == Truncated::kDrop;
}

RewardScores TotalReward::score(std::span<const RewardQuery> queries) {
  if (parts_.empty())
    throw fail("no reward is configured").hint("add a [[rewards.reward]] table with kind = \"exact\", say");
  RewardScores scores;
  scores.total.assign(queries.size(), 0.0);
  scores.dropped.assign(queries.size(), false);
  for (const Part& part : parts_) {
    scores.parts.push_back(part.reward->score(queries));
    for (size_t i = 0; i < queries.size(); ++i) scores.total[i] += part.weight * scores.parts.back()[i];
  }
  for (size_t i = 0; i < queries.size(); ++i) {
    if (!std::isfinite(scores.total[i]))
      throw fail("the weighted sum of the rewards is {}", scores.total[i]).at(describe(queries[i]));
    if (queries[i].truncated) scores.dropped[i] = cut_short(scores.total[i]);
  }
  return scores;
}

}  // namespace agro
