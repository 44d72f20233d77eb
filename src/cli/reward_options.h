#pragma once
// Which reward scores responses: a kind by name, and every key of a configuration's [rewards] through --set.
#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "reward/config.h"

namespace agro {

struct RewardOptions {
  std::string kind = "exact";
  std::vector<std::string> overrides;
};

/// --reward and --set.
void add_reward_options(CLI::App& command, RewardOptions& options);

/// Throws Error as load_config does.
RewardsConfig rewards_config(const RewardOptions& options);

/// Whether a prompt without answer cannot be scored.
bool needs_answer(const RewardsConfig& rewards);

}  // namespace agro
