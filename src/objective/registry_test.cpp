#include "objective/registry.h"

#include <fmt/format.h>

#include <cmath>

#include "objective/test_support.h"

namespace agro {
namespace {

using namespace testing;

std::unique_ptr<Objective> objective(const ObjectiveConfig& config = {}) { return make_objective(config); }

TEST(Registry, MakesEveryNameItLists) {
  for (const std::string& name : objective_names()) EXPECT_EQ(objective({.name = name})->name(), name);
}

TEST(Registry, SaysWhatIsWrongAndWhatIsKnown) {
  const std::string unknown = message_of([] { objective({.name = "argo"}); });
  EXPECT_NE(unknown.find("known are agro, kl_policy_gradient, reinforce"), std::string::npos) << unknown;
  EXPECT_NE(unknown.find("did you mean 'agro'?"), std::string::npos) << unknown;
  EXPECT_NE(message_of([] {
              objective({.name = "rloo", .through_sampling = true});
            }).find("'rloo' does not read objective.through_sampling, which is for agro"),
            std::string::npos);
  EXPECT_NE(
      message_of([] { objective({.name = "reinforce", .clip_epsilon = 0.2}); }).find("which is for rloo, ppo, grpo"),
      std::string::npos);
  EXPECT_NE(message_of([] { objective({.beta = 0, .loss_scale = "none"}); }).find("objective 'agro': beta = 0"),
            std::string::npos);
}

/// The largest difference between what two configurations make of one batch.
double difference(const ObjectiveConfig& a, const ObjectiveConfig& b) {
  const ObjectiveInput input = complete_batch(97, {4, 3, 2});
  const auto of = [&](const ObjectiveConfig& config) { return evaluate_with_gradient(*objective(config), input); };
  const auto x = of(a), y = of(b);
  return std::max(std::abs(x.loss - y.loss), largest_difference(x.logprobs, y.logprobs));
}

TEST(Registry, KeysLeftOpenAreThePapersOwn) {
  const std::vector<std::pair<ObjectiveConfig, ObjectiveConfig>> equal = {
      {{.name = "ppo"}, {.name = "ppo", .clip_epsilon = 0.2, .standardize = "batch", .value_coefficient = 0.1}},
      {{.name = "ppo", .clip_epsilon = 0.1}, {.name = "ppo", .clip_low = 0.1, .clip_high = 0.1}},
      {{.name = "grpo"}, {.name = "grpo", .clip_low = 0.2, .clip_high = 0.2, .standardize = "group"}},
      {{.name = "grpo", .normalization = "dapo"},
       {.name = "grpo", .clip_low = 0.2, .clip_high = 0.28, .normalization = "bnpo"}},
      {{.name = "grpo", .normalization = "dr_grpo", .normalization_length = 9},
       {.name = "grpo", .standardize = "none", .normalization = "dr_grpo", .normalization_length = 9}},
      {{.name = "gspo"}, {.name = "gspo", .clip_low = 3e-4, .clip_high = 4e-4}},
      {{.name = "cispo"}, {.name = "cispo", .truncate = 5}},
      {{.name = "reinforce"}, {.name = "reinforce", .standardize = "none"}},
      {{.name = "rloo"}, {.name = "rloo", .clip_epsilon = 0}}};
  for (const auto& [open, spelled] : equal) EXPECT_EQ(difference(open, spelled), 0) << open.name;
  EXPECT_GT(difference({.name = "grpo", .normalization = "dapo"}, {.name = "grpo", .normalization = "bnpo"}), 1e-6);
  EXPECT_GT(difference({.name = "rloo"}, {.name = "rloo", .clip_epsilon = 0.2}), 1e-6);
}

TEST(Registry, RefusesCombinationsAndSaysWhatIsValid) {
  const std::vector<std::pair<ObjectiveConfig, std::string>> cases = {
      {{.name = "ppo", .standardize = "group"}, "\"batch\" and \"none\" are valid for ppo"},
      {{.name = "grpo", .clip_epsilon = 0.1, .clip_high = 0.2}, "give clip_epsilon alone, or clip_low and clip_high"},
      {{.name = "grpo", .normalization = "dr_grpo"}, "set normalization_length to the longest response"},
      {{.name = "grpo", .normalization = "dapo", .normalization_length = 5}, "it is for normalization = \"dr_grpo\""},
      {{.name = "gspo", .clip_epsilon = 0}, "leaves no gradient"},
      {{.name = "ppo", .clip_low = -0.5}, "lower clip must be in [0, 1), found -0.5"},
      {{.name = "rloo", .clip_epsilon = -0.5}, "clip_epsilon must be in [0, 1), found -0.5"},
      {{.name = "cispo", .truncate = 0}, "truncate must be above 0"},
      {{.name = "ppo", .value_coefficient = -2}, "value_coefficient must be at least 0"}};
  for (const auto& [config, expected] : cases) {
    const std::string message = message_of([&config = config] { objective(config); });
    EXPECT_NE(message.find(expected), std::string::npos) << "expected '" << expected << "' in '" << message << "'";
    EXPECT_EQ(message.find(fmt::format("objective '{}': ", config.name)), 0u) << message;
  }
}

struct WholeConfig {
  ObjectiveConfig objective;
  void visit(ConfigVisitor& v) { v.section("objective", objective, "What is optimised."); }
};

TEST(ObjectiveConfig, ReadsOverridesAndRefusesNonsense) {
  WholeConfig config;
  load_config(config, {},
              {"objective.name=kl_policy_gradient", "objective.beta=0.5", "objective.kl_estimator=full_vocabulary"});
  EXPECT_EQ(config.objective.beta, 0.5);
  EXPECT_TRUE(make_objective(config.objective)->needs().full_vocabulary_kl);
  EXPECT_NE(message_of([&] { load_config(config, {}, {"objective.beta=-1"}); }), "");
  EXPECT_NE(message_of([&] { load_config(config, {}, {"objective.loss_scale=half"}); }), "");
}

}  // namespace
}  // namespace agro
