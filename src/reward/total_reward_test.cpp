#include "reward/total_reward.h"

#include <gmock/gmock.h>

#include "core/test_error.h"

namespace agro {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RewardConfig reward_of(const std::string& kind, double weight = 1) {
  RewardConfig config;
  config.kind = kind;
  config.weight = weight;
  return config;
}

const std::vector<RewardQuery> kQueries = {
    {.prompt = "6*7", .completion = "42", .answer = "42"},
    {.prompt = "6*7", .completion = "It is 42.0", .answer = "42", .truncated = true},
    {.prompt = "6*7", .completion = "41", .answer = "42"},
};

TEST(TotalReward, SumsWithWeightsAndKeepsTheParts) {
  TotalReward reward({.reward = {reward_of("exact", 0.25), reward_of("last_number", 2)}, .truncated = "keep"});
  EXPECT_THAT(reward.names(), ElementsAre("exact", "last_number"));
  const RewardScores scores = reward.score(kQueries);
  EXPECT_THAT(scores.parts, ElementsAre(ElementsAre(1, 0, 0), ElementsAre(1, 1, 0)));
  EXPECT_THAT(scores.total, ElementsAre(2.25, 2, 0));
  EXPECT_THAT(scores.dropped, ElementsAre(false, false, false));
}

TEST(TotalReward, TreatsTruncatedResponsesAsTold) {
  TotalReward zero({.reward = {reward_of("last_number", 2)}, .truncated = "zero_reward"});
  const RewardScores zeroed = zero.score(kQueries);
  EXPECT_THAT(zeroed.total, ElementsAre(2, 0, 0));
  EXPECT_THAT(zeroed.parts, ElementsAre(ElementsAre(1, 1, 0)));
  EXPECT_THAT(zeroed.dropped, ElementsAre(false, false, false));

  TotalReward drop({.reward = {reward_of("last_number", 2)}, .truncated = "drop"});
  const RewardScores dropped = drop.score(kQueries);
  EXPECT_THAT(dropped.total, ElementsAre(2, 2, 0));
  EXPECT_THAT(dropped.dropped, ElementsAre(false, true, false));
  EXPECT_THAT(error_of([] { TotalReward({.reward = {}, .truncated = "zero"}); }), HasSubstr("truncated = \"zero\""));
}

TEST(TotalReward, WhatCannotBeDecidedEarnsNothing) {
  TotalReward reward({.reward = {reward_of("strict")}, .truncated = "keep"});
  const std::vector<RewardQuery> queries = {
      {.prompt = "", .completion = "\\boxed{1+\\sqrt2}", .answer = "\\sqrt{3+2\\sqrt2}"},
      {.prompt = "", .completion = "\\boxed{\\sqrt2+1}", .answer = "1+\\sqrt2"},
  };
  EXPECT_THAT(reward.score(queries).total, ElementsAre(0, 1));
  const std::vector<RewardQuery> unusable = {{.prompt = "", .completion = "1", .answer = ""}};
  EXPECT_THAT(error_of([&] { reward.score(unusable); }), HasSubstr("the gold answer is empty"));
}

TEST(TotalReward, MixesInACommand) {
  RewardConfig command = reward_of("command", -0.5);
  command.name = "length";
  command.command = {
      "sh", "-c",
      "while IFS= read -r line; do id=${line#*\\\"id\\\":}; echo \"{\\\"id\\\":${id%%,*},\\\"reward\\\":3}\"; done"};
  TotalReward reward({.reward = {reward_of("exact"), command}, .truncated = "keep"});
  EXPECT_THAT(reward.names(), ElementsAre("exact", "length"));
  EXPECT_THAT(reward.score(kQueries).total, ElementsAre(-0.5, -1.5, -1.5));
}

TEST(TotalReward, NamesThePromptOfAMissingOrUselessAnswer) {
  TotalReward reward({.reward = {reward_of("gsm8k")}, .truncated = "keep"});
  const Json record = {{"id", "train-17"}};
  const std::vector<RewardQuery> without = {{.prompt = "6*7", .completion = "42"}};
  const std::vector<RewardQuery> identified = {{.prompt = "6*7", .completion = "42", .record = &record}};
  const std::vector<RewardQuery> useless = {{.prompt = "6*7", .completion = "42", .answer = "many"}};
  EXPECT_THAT(error_of([&] { reward.score(without); }), HasSubstr("reward 'gsm8k': prompt \"6*7\": has no answer"));
  EXPECT_THAT(error_of([&] { reward.score(identified); }), HasSubstr("prompt id \"train-17\": has no answer"));
  EXPECT_THAT(error_of([&] { reward.score(useless); }), HasSubstr("answer \"many\" cannot be used"));
}

TEST(TotalReward, RefusesWhatCannotWork) {
  EXPECT_THAT(error_of([] {
                TotalReward({.reward = {reward_of("exact"), reward_of("exact")}});
              }),
              HasSubstr("two rewards are called 'exact'"));
  EXPECT_THAT(error_of([] { TotalReward({.reward = {reward_of("last_numbr")}}); }),
              HasSubstr("did you mean 'last_number'?"));
  EXPECT_THAT(error_of([] { TotalReward({.reward = {reward_of("command")}}); }), HasSubstr("no command is given"));
  TotalReward none({});
  EXPECT_THAT(error_of([&] { none.score(kQueries); }), HasSubstr("no reward is configured"));
}

TEST(RewardsConfig, IsReadFromText) {
  RewardsConfig config;
  load_config(config, {},
              {"truncated=drop",
               "reward=[{kind='last_number',tolerance=0.5,weight=2},{kind='command',name='judge',"
               "command=['judge','--fast'],timeout_seconds=1.5,restarts=0}]"});
  ASSERT_EQ(config.reward.size(), 2U);
  EXPECT_EQ(config.truncated, "drop");
  EXPECT_EQ(config.reward[0].label(), "last_number");
  EXPECT_EQ(config.reward[0].options.tolerance, 0.5);
  EXPECT_EQ(config.reward[0].weight, 2);
  EXPECT_EQ(config.reward[1].label(), "judge");
  EXPECT_THAT(config.reward[1].command, ElementsAre("judge", "--fast"));
  EXPECT_EQ(config.reward[1].timeout_seconds, 1.5);
  EXPECT_EQ(config.reward[1].restarts, 0);
  EXPECT_THAT(error_of([&] { load_config(config, {}, {"reward.0.kind='gsm'"}); }), HasSubstr("gsm8k"));
  EXPECT_THAT(error_of([&] { load_config(config, {}, {"truncated='skip'"}); }), HasSubstr("zero_reward"));
}

}  // namespace
}  // namespace agro
