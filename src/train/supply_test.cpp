// What a run refuses before its first step because its data or settings do not give the objective what that reads.
#include "train/supply.h"

#include <gtest/gtest.h>

#include "train/rl_trainer.h"
#include "train/test_support.h"

namespace agro {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Supply : public RunTest {
 protected:
  static void one_step(TrainConfig config, const std::string& objective) {
    config.objective.name = objective;
    config.evaluate.prompts.clear();
    config.run.steps = 1;
    run_rl(config, false);
  }

  static std::string refusal(const TrainConfig& config, const std::string& objective) {
    return error_of([&] { one_step(config, objective); });
  }
};

TEST_F(Supply, OptimalValuesNeedARewardAndAnswers) {
  TrainConfig config = stored_addition("run");
  config.rewards.reward.clear();
  EXPECT_THAT(refusal(config, "astar_po"),
              AllOf(HasSubstr("no reward is configured"), HasSubstr("[[rewards.reward]]")));
  std::vector<Json> records = answered_sums();
  for (Json& record : records) record.erase("answer");
  TrainConfig unanswered = stored_addition("unanswered");
  unanswered.data.completions = {lines("unanswered.jsonl", records)};
  EXPECT_THAT(refusal(unanswered, "astar_po"), HasSubstr("answer"));
}

TEST_F(Supply, TemperedOrSelectedResponsesAreNotThePolicys) {
  for (const char* change : {"temperature", "drop", "updates"}) {
    TrainConfig config = addition(change);
    config.objective.credit = "token";
    if (std::string(change) == "temperature") config.sampling.temperature = 0.5;
    if (std::string(change) == "drop") config.rewards.truncated = "drop";
    if (std::string(change) == "updates") config.train.updates_per_rollout = 2, config.run.checkpoint_every = 0;
    EXPECT_THAT(refusal(config, "agro"), HasSubstr("of the current policy only")) << change;
  }
}

TEST_F(Supply, TheGapIsOfThePolicysOwnResponses) {
  TrainConfig config = addition("plain");
  config.evaluate.prompts.clear();
  run_rl(config, false);
  EXPECT_TRUE(steps_of("plain").front().contains("optimality_gap"));
  config.run.output = folder_ / "tempered";
  config.sampling.temperature = 0.5;
  run_rl(config, false);
  EXPECT_FALSE(steps_of("tempered").front().contains("optimality_gap"));
}

// rloo reads the writers' log-probs where they are known: of all responses or of none.
TEST_F(Supply, AMixtureOfKnownAndUnknownWritersIsRefused) {
  std::vector<Json> records = answered_sums();
  records[2]["completions"][0]["logprob"] = -1.5;
  TrainConfig config = stored_addition("run");
  config.data.completions = {lines("mixture.jsonl", records)};
  EXPECT_THAT(refusal(config, "rloo"), HasSubstr("its loss would change from step to step"));
  config.run.output = folder_ / "agro";
  EXPECT_NO_THROW(one_step(config, "agro"));
}

TEST_F(Supply, AMovingReferenceWroteNothing) {
  TrainConfig config = stored_addition("run");
  config.data.stored_behavior = "reference";
  config.reference.update_every = 1;
  EXPECT_THAT(refusal(config, "grpo"), HasSubstr("makes it another model"));
}

TEST_F(Supply, DataOfSingleResponsesAreRefusedByObjectivesThatCompare) {
  std::vector<Json> records = answered_sums();
  for (Json& record : records) record["completions"] = Json::array({record["completions"][0]});
  TrainConfig config = stored_addition("run");
  config.data.completions = {lines("single.jsonl", records)};
  EXPECT_THAT(refusal(config, "agro"), HasSubstr("no prompt has two stored ones"));
  config.run.output = folder_ / "value";
  EXPECT_NO_THROW(one_step(config, "agro_value"));
}

}  // namespace
}  // namespace agro
