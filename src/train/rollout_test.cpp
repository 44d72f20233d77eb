// What a step's groups are made of: fresh and stored responses, ragged groups, groups too small to learn from.
#include "train/rollout.h"

#include <gtest/gtest.h>

#include <set>

#include "data/text_tools.h"
#include "model/model_folder.h"
#include "train/rl_trainer.h"
#include "train/test_support.h"

namespace agro {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class RolloutTest : public RunTest {
 protected:
  /// Everything a source of rollouts stands on.
  struct Setup {
    explicit Setup(const TrainConfig& c)
        : config(c),
          folder(config.model.path),
          policy(folder.load(WeightDtype::kFloat32)),
          tools(load_text_tools(config.model.path)),
          reward(config.rewards),
          data(load_training_data(config, {},
                                  make_encoders(tools, policy.config().eos_token_ids, config.data.append_eos), reward,
                                  {policy.config().max_position_embeddings, policy.config().vocab_size})),
          sampler(data, config.sampling, config.engine, tools.tokenizer_or_null(), reward, 3),
          source(data, config.group, sampler, 3) {}

    Rollout next() { return source.next(policy, 0); }

    TrainConfig config;
    ModelFolder folder;
    CausalLm policy;
    TextTools tools;
    TotalReward reward;
    TrainingData data;
    ResponseSampler sampler;
    RolloutSource source;
  };

  TrainConfig mixed() const {
    TrainConfig config = stored_addition("run");
    config.group = {.prompts_per_step = 12, .fresh_per_group = 2, .stored_per_group = 3};
    return config;
  }
};

TEST_F(RolloutTest, FreshAndStoredShareAGroup) {
  Setup setup(mixed());
  const Rollout rollout = setup.next();
  ASSERT_EQ(rollout.groups.size(), 12U);
  for (const RolloutGroup& group : rollout.groups) {
    const std::string& answer = *setup.data.prompts[group.prompt_index].answer;
    const size_t available = setup.data.stored[group.prompt_index].size();
    ASSERT_EQ(group.items.size(), 2 + std::min<size_t>(3, available)) << "groups are as ragged as the data";
    std::set<int64_t> stored;
    for (const RolloutItem& item : group.items) {
      const bool fresh = item.stored_index < 0;
      EXPECT_EQ(item.response.source, fresh ? "fresh" : "stored");
      EXPECT_EQ(item.response.behavior_logprobs.size(), fresh ? item.response.ids.size() : 0);
      EXPECT_EQ(item.response.reward, item.response.text == answer ? 1 : 0) << item.response.text;
      if (fresh) continue;
      EXPECT_TRUE(stored.insert(item.stored_index).second) << "one response twice in a group";
    }
  }
}

TEST_F(RolloutTest, RevisitedPromptsGetNewResponses) {
  Setup setup(mixed());
  const auto texts = [&] {
    std::map<size_t, std::vector<TokenIds>> fresh;
    for (const RolloutGroup& group : setup.next().groups)
      for (const RolloutItem& item : group.items)
        if (item.stored_index < 0) fresh[group.prompt_index].push_back(item.response.ids);
    return fresh;
  };
  const auto first = texts(), second = texts();
  size_t same = 0;
  for (const auto& [prompt, ids] : first) same += ids == second.at(prompt) ? 1 : 0;
  EXPECT_LT(same, 9U) << "the second epoch repeats the first";
}

TEST_F(RolloutTest, EveryStoredResponseHasItsTurn) {
  TrainConfig config = stored_addition("run");
  config.group = {.prompts_per_step = 12, .fresh_per_group = 0, .stored_per_group = 2};
  Setup setup(config);
  std::map<std::pair<size_t, int64_t>, int> uses;
  for (int epoch = 0; epoch < 6; ++epoch)
    for (const RolloutGroup& group : setup.next().groups)
      for (const RolloutItem& item : group.items) ++uses[{group.prompt_index, item.stored_index}];
  for (size_t p = 0; p < 12; ++p)
    for (size_t i = 0; i < setup.data.stored[p].size(); ++i)
      EXPECT_EQ((uses[{p, static_cast<int64_t>(i)}]), 12 / static_cast<int>(setup.data.stored[p].size()))
          << p << ", " << i;
}

TEST_F(RolloutTest, GroupsOfOneAreSkippedAndCounted) {
  std::vector<Json> records = answered_sums();
  for (const size_t lonely : {2, 5, 7}) records[lonely]["completions"] = {{{"text", "3"}, {"reward", 0}}};
  TrainConfig config = stored_addition("run");
  config.data.completions = {lines("ragged.jsonl", records)};
  config.group.prompts_per_step = 12;
  config.run.steps = 1;
  Setup setup(config);
  const Rollout rollout = setup.next();
  EXPECT_EQ(rollout.skipped_groups, 3);
  EXPECT_EQ(rollout.groups.size(), 9U);
  run_rl(config, false);
  EXPECT_EQ(steps_of("run")[0]["skipped_groups"], 3);
  EXPECT_EQ(steps_of("run")[0]["groups"], 9);
}

TEST_F(RolloutTest, AStepWithoutAnyGroupChangesNothing) {
  TrainConfig config = addition("run");
  config.sampling.max_new_tokens = 1;  // no response can end, and all are dropped
  config.rewards.truncated = "drop";
  config.run.steps = 2;
  run_rl(config, false);
  EXPECT_EQ(steps_of("run")[1]["groups"], 0);
  EXPECT_EQ(steps_of("run")[1]["skipped_groups"], 4);
  EXPECT_TRUE(read_file(folder_ / "run/final/model.safetensors") ==
              read_file(golden("e2e_qwen2_addition") / "model.safetensors"));
}

// Cut at one token, no response can end: an end token would have been the second.
TEST_F(RolloutTest, TruncatedResponsesAreKeptZeroedOrDropped) {
  TrainConfig config = mixed();
  config.sampling.max_new_tokens = 1;
  const auto fresh_of = [&](const std::string& truncated) {
    config.rewards.truncated = truncated;
    Setup setup(config);
    Rollout rollout = setup.next();
    double count = 0, reward = 0;
    for (const RolloutGroup& group : rollout.groups)
      for (const RolloutItem& item : group.items)
        if (item.stored_index < 0) ++count, reward += item.response.reward;
    return std::array<double, 3>{count, reward, static_cast<double>(rollout.dropped_responses)};
  };
  const auto kept = fresh_of("keep"), zeroed = fresh_of("zero_reward"), dropped = fresh_of("drop");
  EXPECT_EQ(kept[0], 24);
  EXPECT_GT(kept[1], 3);
  EXPECT_EQ(zeroed[0], 24);
  EXPECT_EQ(zeroed[1], 0);
  EXPECT_EQ(dropped[0] + dropped[2], 24);
  EXPECT_GT(dropped[2], 20) << "only an end token as first token is an end";
  config.group = {.prompts_per_step = 12, .fresh_per_group = 2, .stored_per_group = 0};
  config.data.prompts = lines("sums.jsonl", sums());
  Setup setup(config);
  EXPECT_GT(setup.next().skipped_groups, 9) << "groups that lost their responses are skipped";
}

TEST_F(RolloutTest, TruncatedHoldsForStoredResponsesToo) {
  std::vector<Json> records = answered_sums();
  for (Json& record : records) record["completions"][0]["finish_reason"] = "length";
  TrainConfig config = stored_addition("run");
  config.data.completions = {lines("cut.jsonl", records)};
  const auto right = [&](const std::string& truncated) {
    config.rewards.truncated = truncated;
    Setup setup(config);
    double count = 0, reward = 0;
    for (const auto& responses : setup.data.stored)
      for (const Response& response : responses) ++count, reward += response.reward;
    return std::pair{count, reward};
  };
  EXPECT_EQ(right("keep"), (std::pair{36.0, 12.0}));
  EXPECT_EQ(right("zero_reward"), (std::pair{36.0, 0.0}));
  EXPECT_EQ(right("drop"), (std::pair{24.0, 0.0}));
}

TEST_F(RolloutTest, MissingRewardsAreComputedFromTextOrIds) {
  Setup base(mixed());
  const auto ids = [&](const std::string& text) { return base.tools.tokenizer->encode(text); };
  TrainConfig config = stored_addition("run");
  config.data.completions = {lines("unrewarded.jsonl", {{{"prompt", "What is 1+1?"},
                                                         {"answer", "2"},
                                                         {"completions",
                                                          {{{"text", "2"}},
                                                           {{"text", "3"}},
                                                           {{"ids", ids("2")}},
                                                           {{"ids", ids("3")}},
                                                           {{"text", "2"}, {"reward", 0.25}}}}}})};
  Setup setup(config);
  std::vector<double> rewards;
  for (const Response& response : setup.data.stored[0]) rewards.push_back(response.reward);
  EXPECT_EQ(rewards, (std::vector<double>{1, 0, 1, 0, 0.25}));
}

TEST_F(RolloutTest, PromptsWithoutRoomAreLeftOut) {
  std::vector<Json> fresh = sums(), stored = answered_sums();
  const Json overlong = {{"id", "endless"}, {"ids", TokenIds(257, 5)}, {"answer", "1"}};
  fresh[4] = overlong;
  TrainConfig config = addition("run");
  config.data.prompts = lines("some.jsonl", fresh);
  config.group.prompts_per_step = 12;
  Setup setup(config);
  EXPECT_EQ(setup.data.prompts.size(), 11U);
  EXPECT_EQ(setup.data.prompt_ids.size(), 11U);
  EXPECT_EQ(setup.data.prompts[4].id, sums()[5]["id"].get<std::string>());
  for (const RolloutGroup& group : setup.next().groups) EXPECT_EQ(group.items.size(), 4U);
  config.data.prompts = lines("none.jsonl", {overlong});
  EXPECT_THAT(error_of([&] { Setup none(config); }), HasSubstr("none.jsonl: no prompt fits"));

  stored[4].erase("messages");
  stored[4]["ids"] = TokenIds(257, 5);
  config = stored_addition("run");
  config.data.completions = {lines("stored.jsonl", stored)};
  const Setup logged(config);
  EXPECT_EQ(logged.data.prompts.size(), 11U);
  EXPECT_EQ(logged.data.stored.size(), 11U);
}

TEST_F(RolloutTest, OnPolicyObjectivesRefuseStoredResponsesBeforeTheRun) {
  for (const bool token_credit : {false, true}) {
    TrainConfig config = mixed();
    config.objective.through_sampling = !token_credit;
    if (token_credit) config.objective.credit = "token";
    EXPECT_THAT(error_of([&] { run_rl(config, false); }),
                AllOf(HasSubstr("learns from responses of the current policy only"),
                      HasSubstr("group.stored_per_group is 3"), HasSubstr("through_sampling = false")));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
  }
}

}  // namespace
}  // namespace agro
