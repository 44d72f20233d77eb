// The drain of probability that stored data allows (spec §9) is seen, said, and logged.
#include <gtest/gtest.h>

#include "train/rl_trainer.h"
#include "train/test_support.h"

namespace agro {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Leak : public RunTest {
 protected:
  static std::string screen_of(const TrainConfig& config) {
    testing::internal::CaptureStderr();
    run_rl(config, false);
    return testing::internal::GetCapturedStderr();
  }

  TrainConfig reckless(const std::string& run) const {
    TrainConfig config = stored_addition(run);
    config.run.steps = 12;
    config.run.evaluate_every = 4;
    config.objective.beta = 0.01;
    config.optimizer.learning_rate = 1e-2;
    return config;
  }
};

TEST_F(Leak, ATinyBetaAndALargeStepAreWarnedOf) {
  EXPECT_THAT(screen_of(reckless("run")),
              AllOf(HasSubstr("warning: [train] stored responses of 'stored' lose probability"),
                    HasSubstr("larger objective.beta"), HasSubstr("group.fresh_per_group")));
  const Json last = evaluations_of("run").back()["evaluation"];
  EXPECT_LT(last["leak_rewarded_stored"].get<double>(), -2);
  EXPECT_LT(last["leak_unrewarded_stored"].get<double>(), -2);
  EXPECT_FALSE(evaluations_of("run").front()["evaluation"].contains("leak_rewarded_stored"));
}

TEST_F(Leak, MildSettingsAreQuiet) {
  TrainConfig config = reckless("run");
  config.objective.beta = 0.5;
  config.optimizer.learning_rate = 1e-5;
  EXPECT_THAT(screen_of(config), Not(HasSubstr("lose probability")));
  const Json last = evaluations_of("run").back()["evaluation"];
  EXPECT_GT(last["leak_rewarded_stored"].get<double>(), -0.5);
  EXPECT_LT(last["leak_rewarded_stored"].get<double>(), 0.5);
}

TEST_F(Leak, TheThresholdIsTheUsers) {
  TrainConfig config = reckless("run");
  config.train.leak_warning_nats = 1e6;
  EXPECT_THAT(screen_of(config), Not(HasSubstr("lose probability")));
}

TEST_F(Leak, IsWatchedWithoutEvaluationPromptsToo) {
  TrainConfig config = reckless("run");
  config.evaluate.prompts.clear();
  EXPECT_THAT(screen_of(config), HasSubstr("lose probability"));
  EXPECT_LT(evaluations_of("run").back()["evaluation"]["leak_rewarded_stored"].get<double>(), -2);
}

// What an earlier run saved of its own was fresh then; now it is stored like any other.
TEST_F(Leak, ResponsesOfAnEarlierRunAreWatchedToo) {
  std::vector<Json> records = answered_sums();
  for (Json& record : records)
    for (Json& completion : record["completions"]) completion["source"] = "fresh";
  TrainConfig config = stored_addition("run");
  config.data.completions = {lines("earlier.jsonl", records)};
  run_rl(config, false);
  EXPECT_NE(evaluations_of("run").back()["evaluation"]["leak_rewarded_stored"].get<double>(), 0);
}

// By source, as the files name them.
TEST_F(Leak, SourcesAreKeptApart) {
  std::vector<Json> records = answered_sums();
  for (Json& record : records) record["completions"][0]["source"] = "human";
  TrainConfig config = stored_addition("run");
  config.data.completions = {lines("sources.jsonl", records)};
  run_rl(config, false);
  const Json last = evaluations_of("run").back()["evaluation"];
  EXPECT_NE(last["leak_rewarded_human"].get<double>(), 0);
  EXPECT_FALSE(last.contains("leak_unrewarded_human")) << "there are none";
  EXPECT_NE(last["leak_unrewarded_stored"].get<double>(), 0);
}

}  // namespace
}  // namespace agro
