// What holds for every objective of the off-policy family, made as a configuration makes it.
#include <cmath>

#include "objective/families.h"
#include "objective/registry.h"
#include "objective/test_support.h"

namespace agro {
namespace {

using namespace testing;

std::vector<std::unique_ptr<Objective>> off_policy_objectives() {
  std::vector<std::unique_ptr<Objective>> all;
  for (const detail::RegistryEntry& entry : detail::off_policy_family())
    all.push_back(make_objective({.name = entry.name}));
  for (const char* name : {"dpo", "ipo"}) all.push_back(make_objective({.name = name, .pairing = "best_worst"}));
  return all;
}

TEST(OffPolicyFamily, IsFiniteForEqualRewards) {
  for (const double reward : {0.0, 1.0}) {
    ObjectiveInput input = complete_batch(151, {3, 2, 4});
    input.rewards.fill_(reward);
    for (const auto& objective : off_policy_objectives()) {
      const auto result = evaluate_with_gradient(*objective, input);
      EXPECT_TRUE(std::isfinite(result.loss)) << objective->name();
      EXPECT_TRUE(result.logprobs.isfinite().all().item<bool>()) << objective->name();
      for (const auto& [name, value] : result.metrics) EXPECT_TRUE(std::isfinite(value)) << objective->name() << name;
    }
  }
}

TEST(OffPolicyFamily, KeepsGroupsOfEqualRewards) {
  ObjectiveInput input = complete_batch(152, {4});
  input.rewards.fill_(0.0);
  for (const char* name :
       {"agro", "agro_value", "trajectory_balance", "gvpo", "astar_po", "opmd", "copg", "dro", "importance_weighted"})
    EXPECT_GT(evaluate_with_gradient(*make_objective({.name = name}), input).logprobs.abs().max().item<double>(), 1e-4)
        << name;
}

}  // namespace
}  // namespace agro
