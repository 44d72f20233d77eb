// Every registered objective either takes training steps on fresh and on stored responses, or is refused before them.
#include <gtest/gtest.h>

#include <set>

#include "objective/registry.h"
#include "train/rl_trainer.h"
#include "train/test_support.h"

namespace agro {
namespace {

class ObjectivesInTraining : public RunTest {
 protected:
  /// "" where two steps were taken, else the refusal.
  std::string outcome(TrainConfig config, const std::string& run, const std::string& name) const {
    config.objective.name = name;
    config.run.steps = 2;
    config.run.evaluate_every = 0;
    try {
      run_rl(config, false);
    } catch (const Error& error) {
      return error.what();
    }
    for (const Json& step : steps_of(run)) EXPECT_TRUE(step.at("gradient_norm").is_number()) << name;
    return "";
  }

  std::set<std::string> refused(const std::function<TrainConfig(const std::string&)>& make) const {
    std::set<std::string> names;
    for (const std::string& name : objective_names()) {
      const std::string said = outcome(make(name), name, name);
      if (said.empty()) continue;
      EXPECT_TRUE(said.find("objective '" + name + "'") != std::string::npos) << said;
      names.insert(name);
    }
    return names;
  }
};

using Names = std::set<std::string>;

const Names kGivenPairs = {"dpo", "ipo"};
const Names kRatiosOfTokens = {"cispo", "grpo", "ppo", "reinforce_pp"};
const Names kRatiosOfResponses = {"gspo", "gvpo", "importance_weighted", "opmd", "topr"};

Names joined(Names a, const Names& b) {
  a.insert(b.begin(), b.end());
  return a;
}

TEST_F(ObjectivesInTraining, OnFreshResponses) {
  EXPECT_EQ(refused([&](const std::string& name) { return addition(name); }), kGivenPairs);
}

TEST_F(ObjectivesInTraining, OnStoredResponses) {
  EXPECT_EQ(refused([&](const std::string& name) { return stored_addition(name); }),
            joined(kGivenPairs, joined(kRatiosOfTokens, kRatiosOfResponses)));
}

TEST_F(ObjectivesInTraining, OnStoredResponsesThatRecordTheirProbability) {
  std::vector<Json> records = answered_sums();
  for (Json& record : records)
    for (Json& completion : record["completions"]) completion["logprob"] = -1.5;
  const std::string file = lines("recorded.jsonl", records);
  const auto recorded = [&](const std::string& name) {
    TrainConfig config = stored_addition(name);
    config.data.completions = {file};
    return config;
  };
  EXPECT_EQ(refused(recorded), joined(kGivenPairs, kRatiosOfTokens));
}

TEST_F(ObjectivesInTraining, OnStoredResponsesOfTheReference) {
  for (const std::string behavior : {"reference", "policy"}) {
    const auto known = [&](const std::string& name) {
      TrainConfig config = stored_addition(name);
      config.run.output += "-" + behavior;
      config.data.stored_behavior = behavior;
      return config;
    };
    Names names;
    for (const std::string& name : objective_names())
      if (!outcome(known(name), name + "-" + behavior, name).empty()) names.insert(name);
    EXPECT_EQ(names, kGivenPairs);
  }
}

TEST_F(ObjectivesInTraining, PairsAreFormedByReward) {
  for (const std::string& name : kGivenPairs) {
    TrainConfig config = stored_addition(name);
    config.objective.pairing = "best_worst";
    EXPECT_EQ(outcome(config, name, name), "");
  }
}

// A run's own responses, saved with the log-probs they were drawn with, are data for objectives with ratios.
TEST_F(ObjectivesInTraining, SavedResponsesServeAsStoredOnes) {
  TrainConfig first = addition("first");
  first.run.save_completions_every = 1;
  first.run.steps = 1;
  run_rl(first, false);
  TrainConfig config = stored_addition("again");
  config.data.completions = {(folder_ / "first/completions/step-1.jsonl").string()};
  EXPECT_EQ(outcome(config, "again", "grpo"), "");
  EXPECT_NEAR(steps_of("again").front().at("clip_fraction").get<double>(), 0, 1e-9);
}

TEST_F(ObjectivesInTraining, GroupsOfOneAreForThoseThatCompareNothing) {
  TrainConfig config = stored_addition("single");
  config.group.stored_per_group = 1;
  EXPECT_EQ(outcome(config, "single", "agro_value"), "");
  EXPECT_EQ(steps_of("single").front().at("responses").get<double>(), 4);
  EXPECT_NE(outcome(config, "single-agro", "agro").find("at least two responses"), std::string::npos);
}

}  // namespace
}  // namespace agro
