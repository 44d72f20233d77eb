// Rewards end to end: programs, weighted sums and their parts in the figures, what truncation does to them.
#include <gtest/gtest.h>

#include "train/rl_trainer.h"
#include "train/test_support.h"

namespace agro {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// A program that gives every completion the same reward, `value`.
std::vector<std::string> constant(const std::string& value) {
  return {"sh", "-c",
          "while IFS= read -r line; do id=${line#*\\\"id\\\":}; id=${id%%,*}; "
          "echo \"{\\\"id\\\":$id,\\\"reward\\\":" +
              value + "}\"; done"};
}

class TrainingRewards : public RunTest {
 protected:
  /// Exact match with weight 2 and a program with weight 0.5.
  TrainConfig weighted(const std::string& run, const std::string& value = "0.25") const {
    TrainConfig config = addition(run);
    config.run.steps = 2;
    config.run.save_completions_every = 1;
    config.optimizer.learning_rate = 1e-5;
    config.rewards.reward.resize(2);
    config.rewards.reward[0].weight = 2;
    config.rewards.reward[1].kind = "command";
    config.rewards.reward[1].name = "mine";
    config.rewards.reward[1].weight = 0.5;
    config.rewards.reward[1].command = constant(value);
    config.evaluate.correct_above = 1;
    return config;
  }
};

TEST_F(TrainingRewards, WeightedSumWithItsPartsInTheFigures) {
  run_rl(weighted("run"), false);
  for (const Json& step : steps_of("run")) {
    const double exact = step["reward_exact"].get<double>();
    EXPECT_EQ(step["reward_mine"], 0.25);
    EXPECT_NEAR(step["reward_mean"].get<double>(), 2 * exact + 0.5 * 0.25, 1e-12);
    EXPECT_NEAR(step["accuracy"].get<double>(), exact, 1e-12);
    EXPECT_GT(exact, 0);
  }
  const Json response = read_lines(folder_ / "run/completions/step-1.jsonl")[0]["completions"][0];
  EXPECT_EQ(response["reward_parts"]["mine"], 0.25);
  EXPECT_EQ(response["reward"].get<double>(), 2 * response["reward_parts"]["exact"].get<double>() + 0.125);
}

// Spec §8.5: adding a constant to all rewards changes neither loss nor gradient.
TEST_F(TrainingRewards, AConstantRewardLearnsNothing) {
  TrainConfig config = weighted("constant", "4");
  config.rewards.reward.erase(config.rewards.reward.begin());
  config.run.steps = 1;
  run_rl(config, false);
  EXPECT_EQ(steps_of("constant")[0]["loss"], 0.0);
  EXPECT_EQ(steps_of("constant")[0]["equal_reward_groups"], 1.0);
}

TEST_F(TrainingRewards, TruncationChangesRewardsAndGroups) {
  for (const std::string truncated : {"keep", "zero_reward", "drop"}) {
    TrainConfig config = addition(truncated);
    config.run.steps = 1;
    config.sampling.max_new_tokens = 1;
    config.rewards.truncated = truncated;
    config.evaluate.prompts.clear();
    run_rl(config, false);
  }
  const Json keep = steps_of("keep")[0], zero = steps_of("zero_reward")[0], drop = steps_of("drop")[0];
  EXPECT_GT(keep["reward_mean"].get<double>(), 0.2);
  EXPECT_EQ(zero["reward_mean"], 0.0);
  EXPECT_EQ(zero["reward_exact"], keep["reward_exact"]) << "the parts say what the response would have earned";
  EXPECT_EQ(zero["responses"], 16.0);
  EXPECT_GT(drop["dropped_responses"].get<int>(), 12);
  EXPECT_EQ(drop["responses"].get<double>() < 16, true);
  EXPECT_GT(drop["skipped_groups"].get<int>(), 0);
}

TEST_F(TrainingRewards, AProgramThatMisbehavesEndsTheRunWithItsWords) {
  EXPECT_THAT(error_of([&] { run_rl(weighted("nan", "NaN"), false); }), AllOf(HasSubstr("mine"), HasSubstr("NaN")));
  TrainConfig dies = weighted("dies");
  dies.rewards.reward[1].command = {"sh", "-c", "echo no such ledger >&2; exit 3"};
  EXPECT_THAT(error_of([&] { run_rl(dies, false); }), AllOf(HasSubstr("mine"), HasSubstr("no such ledger")));
  TrainConfig missing = weighted("missing");
  missing.rewards.reward[1].command = {"no-such-program-anywhere"};
  EXPECT_THAT(error_of([&] { run_rl(missing, false); }), HasSubstr("no-such-program-anywhere"));
}

TEST_F(TrainingRewards, TwoOfOneNameAreRefused) {
  TrainConfig config = weighted("run");
  config.rewards.reward[1].name = "exact";
  EXPECT_THAT(error_of([&] { run_rl(config, false); }), HasSubstr("two rewards are called 'exact'"));
}

// Without this check the run would end at whatever step first draws the prompt.
TEST_F(TrainingRewards, AMissingAnswerIsFoundAtTheStart) {
  std::vector<Json> records = sums();
  records[7].erase("answer");
  TrainConfig config = addition("run");
  config.data.prompts = lines("sums.jsonl", records);
  config.group.prompts_per_step = 1;
  EXPECT_THAT(error_of([&] { run_rl(config, false); }),
              AllOf(HasSubstr("sums.jsonl: line 8"), HasSubstr("has no 'answer'")));
  config.rewards.reward[0].kind = "command";
  config.rewards.reward[0].command = constant("1");
  config.evaluate.prompts.clear();
  EXPECT_NO_THROW(run_rl(config, false));
}

}  // namespace
}  // namespace agro
