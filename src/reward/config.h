#pragma once
// What a user says about rewards: `[[rewards.reward]]` tables and what happens to truncated responses.
#include <cstdint>
#include <string>
#include <vector>

#include "core/config.h"
#include "reward/verdict.h"

namespace agro {

struct RewardConfig {
  std::string kind = "exact";  // a verifier's name, or "command"
  std::string name;            // empty: the kind
  double weight = 1;
  VerifyOptions options;
  std::vector<std::string> command;
  double timeout_seconds = 60;
  int64_t restarts = 2;

  /// The name it is logged under.
  const std::string& label() const { return name.empty() ? kind : name; }
  /// Whether a prompt without answer cannot be scored.
  bool needs_answer() const { return kind != "command"; }
  void visit(ConfigVisitor& v);
};

struct RewardsConfig {
  std::vector<RewardConfig> reward;
  std::string truncated = "keep";

  void visit(ConfigVisitor& v);
};

}  // namespace agro
