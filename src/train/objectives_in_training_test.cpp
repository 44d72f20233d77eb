// Every registered objective either takes a training step on fresh and on stored responses, or is refused before it.
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

TEST_F(ObjectivesInTraining, OnFreshResponses) {
  EXPECT_EQ(refused([&](const std::string& name) { return addition(name); }),
            (std::set<std::string>{"agro_value", "astar_po", "dpo", "dro", "ipo", "ppo"}));
}

TEST_F(ObjectivesInTraining, OnStoredResponses) {
  const std::set<std::string> names = refused([&](const std::string& name) { return stored_addition(name); });
  for (const std::string name : {"agro", "trajectory_balance", "copg", "asymmetric_reinforce", "kto", "rejection_sft"})
    EXPECT_FALSE(names.contains(name)) << name;
  for (const std::string name : {"ppo", "grpo", "cispo", "gspo", "topr", "importance_weighted"})
    EXPECT_TRUE(names.contains(name)) << name;
}

}  // namespace
}  // namespace agro
