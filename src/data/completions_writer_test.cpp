#include "data/completions_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "data/completions.h"
#include "data/encode.h"
#include "data/test_support.h"

namespace agro {
namespace {

TEST(CompletionsWriter, WhatIsWrittenReadsBack) {
  const std::vector<PromptRecord> prompts = {
      parse_prompt(Json::parse(R"({"id": "chat", "messages": [{"role": "user", "content": "Hi"}]})"), {}, 1),
      parse_prompt(Json::parse(R"({"ids": [1, 2]})"), {}, 2),
      parse_prompt(Json::parse(R"({"id": "sum", "prompt": "1+1=", "answer": 2})"), {}, 3)};
  Response whole;
  whole.ids = {5, 6};
  whole.text = "zwei \"2\"\n";
  whole.reward = 0.1;
  whole.reward_parts = {1.0, -0.25};
  whole.behavior_logprob = -1.0 / 3.0;
  Response cut;
  cut.ids = {7};
  cut.text = "\xE2\x82";  // a character cut in half by the length limit
  cut.reward = std::numeric_limits<double>::quiet_NaN();
  cut.finished = false;
  cut.source = "stored";
  const std::vector<Group> groups = {{2, {}, {whole, cut}}, {0, {}, {cut}}, {1, {1, 2}, {whole}}};
  const std::array<std::string, 2> names = {"exact", "format"};
  const Path path = completions_path(test_file("run/config.toml", "").parent_path(), 40);
  EXPECT_EQ(path.filename(), "step-40.jsonl");
  write_completions(path, prompts, groups, names);

  const auto read = read_completions(path);
  ASSERT_EQ(read.size(), 3U);
  for (size_t i = 0; i < 3; ++i)
    EXPECT_EQ(prompt_identity(read[i].prompt), prompt_identity(prompts[groups[i].prompt_index]));
  EXPECT_EQ(read[0].prompt.id, "sum");
  EXPECT_EQ(read[0].prompt.answer, "2");
  const auto& first = read[0].completions[0];
  EXPECT_EQ(first.ids, whole.ids);
  EXPECT_EQ(first.text, whole.text);
  EXPECT_EQ(first.reward, 0.1);
  EXPECT_EQ(first.finish_reason, "stop");
  EXPECT_EQ(first.source, "fresh");
  EXPECT_EQ(first.logprob, -1.0 / 3.0);
  const auto& second = read[0].completions[1];
  EXPECT_EQ(second.text, "\xEF\xBF\xBD");
  EXPECT_EQ(second.reward, std::nullopt);
  EXPECT_EQ(second.finish_reason, "length");
  EXPECT_EQ(second.source, "stored");
  EXPECT_EQ(group_record(prompts[2], groups[0].responses, names)["completions"][0]["reward_parts"].dump(),
            R"({"exact":1.0,"format":-0.25})");
}

TEST(CompletionsWriter, TokenLogprobsReadBackToTheBit) {
  const float smallest = std::numeric_limits<float>::denorm_min();
  Response response;
  response.behavior_logprobs = {-1.0F / 3.0F,
                                -0.0F,
                                0,
                                -smallest,
                                std::numeric_limits<float>::lowest(),
                                -16777215.0F,
                                -0.1F,
                                -1e-7F,
                                std::nextafter(-2.0F, 0.0F)};
  response.ids.assign(response.behavior_logprobs.size(), 5);
  response.behavior_logprob = -7;
  const std::vector<PromptRecord> prompts = {parse_prompt(Json::parse(R"({"ids": [1, 2]})"), {}, 1)};
  const std::vector<Group> groups = {{0, {}, {response}}};
  const Path path = test_file("step-1.jsonl", "");
  write_completions(path, prompts, groups);

  Encoders encoders;
  encoders.end_ids = {9};
  const Response read = to_response(read_completions(path)[0].completions[0], encoders);
  EXPECT_EQ(read.ids, response.ids);
  EXPECT_EQ(read.behavior_logprob, -7.0);
  ASSERT_EQ(read.behavior_logprobs.size(), response.behavior_logprobs.size());
  for (size_t i = 0; i < read.behavior_logprobs.size(); ++i) {
    EXPECT_EQ(read.behavior_logprobs[i], response.behavior_logprobs[i]) << i;
    EXPECT_EQ(std::signbit(read.behavior_logprobs[i]), std::signbit(response.behavior_logprobs[i])) << i;
  }
}

TEST(CompletionsWriter, LeavesOutTokenLogprobsThatCouldNotBeReadBack) {
  const PromptRecord prompt = parse_prompt(Json::parse(R"({"ids": [1, 2]})"), {}, 1);
  Response response;
  response.ids = {5, 6};
  for (const std::vector<float>& logprobs :
       {std::vector<float>{}, {-1}, {-1, -1, -1}, {-1, -std::numeric_limits<float>::infinity()}, {std::nanf(""), -1}}) {
    response.behavior_logprobs = logprobs;
    EXPECT_FALSE(group_record(prompt, {&response, 1})["completions"][0].contains("logprobs"));
  }
  response.behavior_logprobs = {-1, -2};
  EXPECT_EQ(group_record(prompt, {&response, 1})["completions"][0]["logprobs"].dump(), "[-1.0,-2.0]");
}

TEST(CompletionsWriter, RefusesWhatDoesNotFit) {
  const Path path = test_file("old.jsonl", "old");
  Response response;
  response.reward_parts = {1.0};
  const std::vector<PromptRecord> prompts = {parse_prompt(Json::parse(R"({"prompt": "x"})"), {}, 1)};
  const std::vector<Group> stray = {{1, {}, {}}};
  EXPECT_THAT(error_of([&] { write_completions(path, prompts, stray); }), ::testing::HasSubstr("refers to prompt 1"));
  const std::vector<Group> unnamed = {{0, {}, {response}}};
  EXPECT_THAT(error_of([&] { write_completions(path, prompts, unnamed); }),
              ::testing::HasSubstr("1 reward parts, expected 0"));
  EXPECT_EQ(read_file(path), "old");
}

}  // namespace
}  // namespace agro
