#include "cli/reward_options.h"

#include <algorithm>

#include "cli/config_options.h"
#include "reward/verify.h"

namespace agro {
namespace {

/// The one section of a training configuration that matters here, so that keys read as in a file.
struct Settings {
  RewardsConfig rewards;
  void visit(ConfigVisitor& v) { v.section("rewards", rewards, "What a response earns."); }
};

}  // namespace

void add_reward_options(CLI::App& command, RewardOptions& options) {
  std::vector<std::string> kinds = verifier_names();
  kinds.emplace_back("command");
  command.add_option("--reward", options.kind, "What earns a response its reward.")
      ->capture_default_str()
      ->check(CLI::IsMember(kinds));
  add_set_option(
      command, options.overrides,
      "A key of [rewards] as in a configuration: rewards.reward.0.tolerance=0.01, rewards.truncated=zero_reward.");
}

RewardsConfig rewards_config(const RewardOptions& options) {
  Settings settings;
  settings.rewards.reward.emplace_back().kind = options.kind;
  load_config(settings, "", options.overrides);
  return settings.rewards;
}

bool needs_answer(const RewardsConfig& rewards) {
  return std::any_of(rewards.reward.begin(), rewards.reward.end(),
                     [](const RewardConfig& reward) { return reward.needs_answer(); });
}

}  // namespace agro
