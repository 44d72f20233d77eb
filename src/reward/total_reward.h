#pragma once
// The reward that is optimised: a weighted sum of the configured ones, each of them kept for the logs.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "reward/config.h"
#include "reward/reward.h"

namespace agro {

/// The reward a `[[rewards.reward]]` table describes. Throws Error for an unknown kind or a command without a program.
std::unique_ptr<Reward> make_reward(const RewardConfig& config);

struct RewardScores {
  std::vector<double> total;               // [query]; 0 for a truncated response under zero_reward
  std::vector<std::vector<double>> parts;  // [reward][query], unweighted, whatever `truncated` says
  std::vector<bool> dropped;               // [query]; true for a truncated response under drop
};

class TotalReward {
 public:
  /// Throws Error for a bad reward, two rewards of one name, or an unknown value of `truncated`. No rewards at all is
  /// allowed (all responses may be rewarded already); score() then throws.
  explicit TotalReward(const RewardsConfig& config);

  /// Names in the order of RewardScores::parts.
  std::vector<std::string> names() const;

  /// Whether any of them cannot score a prompt without answer.
  bool needs_answer() const { return needs_answer_; }

  /// What `truncated` makes of a response cut at the length limit: changes its reward; true if it is to be dropped.
  bool cut_short(double& reward) const;

  /// Throws Error as Reward::score does, or when a sum is not finite.
  RewardScores score(std::span<const RewardQuery> queries);

 private:
  enum class Truncated { kKeep, kDrop, kZeroReward };
  struct Part {
    std::unique_ptr<Reward> reward;
    double weight;
  };
  std::vector<Part> parts_;
  Truncated truncated_ = Truncated::kKeep;
  bool needs_answer_ = false;
};

}  // namespace agro
