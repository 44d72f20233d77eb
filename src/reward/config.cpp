#include "reward/config.h"

#include "reward/verify.h"

namespace agro {

void RewardConfig::visit(ConfigVisitor& v) {
  Choices kinds = verifier_names();
  kinds.push_back("command");
  v.field(
      "kind", kind, kinds,
      "exact: the completion is the answer. last_number: their last numbers agree. gsm8k: the numbers after their "
      "last #### agree. strict, lenient: the answers in them are mathematically equal (docs/verifier.md). math_verify, "
      "hendrycks: the conventions of those graders. countdown: an expression makes the target. Each gives 1 or 0. "
      "command: a program of yours gives any number.");
  v.field("name", name, "Its mean is logged as reward_NAME; empty: the kind.");
  v.field("weight", weight, Range{-1e6, 1e6}, "Factor in the sum of all rewards.");
  v.field("tolerance", options.tolerance, Range{0, 1e300},
          "Largest difference of two numbers that counts as equal; not for exact and hendrycks.");
  v.field("relative_tolerance", options.relative_tolerance, Range{0, 1},
          "The same as a share of the answer's magnitude; the larger of the two holds.");
  v.field("trim", options.trim, "exact: whitespace around completion and answer does not count.");
  v.field("ignore_case", options.ignore_case, "exact: upper and lower case (A-Z) count as equal.");
  v.field("command", command,
          "command: program and arguments. It reads JSON lines {\"id\", \"prompt\", \"completion\", \"answer\"?, "
          "\"truncated\", \"record\"?} and writes {\"id\", \"reward\"}, in any order.");
  v.field("timeout_seconds", timeout_seconds, Range{0.001, 86400},
          "command: longest wait for the next reward; also covers the program's start.");
  v.field("restarts", restarts, Range{0, 1000},
          "command: how many times in a row, without one reward in between, it is restarted after a time-out or exit.");
}

void RewardsConfig::visit(ConfigVisitor& v) {
  v.list("reward", reward, "One table [[rewards.reward]] for each reward; what is optimised is their weighted sum.");
  v.field("truncated", truncated, Choices{"keep", "drop", "zero_reward"},
          "Responses cut at the length limit: keep their reward, drop them from their group, or give them reward 0.");
}

}  // namespace agro
