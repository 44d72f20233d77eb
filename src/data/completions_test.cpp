#include "data/completions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "data/test_support.h"

namespace agro {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::vector<StoredGroup> read(std::string_view content, const PromptOptions& options = {}) {
  return read_completions(test_file("c.jsonl", content), options);
}

std::string read_error(std::string_view content, const PromptOptions& options = {}) {
  return error_of([&] { read(content, options); });
}

TEST(Completions, GroupedForm) {
  const auto groups =
      read(R"({"id": "q", "prompt": "1+1=", "answer": 2, "source": "log", "completions": [)"
           R"({"text": "2", "reward": 1, "finish_reason": "stop", "logprob": -0.5}, )"
           R"({"ids": [3, 4], "text": "33", "reward": null, "finish_reason": "length", "source": "other"}]})");
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].prompt.id, "q");
  EXPECT_EQ(groups[0].prompt.answer, "2");
  EXPECT_FALSE(groups[0].prompt.record.contains("completions"));
  const auto& completions = groups[0].completions;
  ASSERT_EQ(completions.size(), 2U);
  EXPECT_EQ(completions[0].text, "2");
  EXPECT_EQ(completions[0].reward, 1.0);
  EXPECT_EQ(completions[0].finish_reason, "stop");
  EXPECT_EQ(completions[0].logprob, -0.5);
  EXPECT_EQ(completions[0].source, "log");
  EXPECT_EQ(completions[1].ids, (TokenIds{3, 4}));
  EXPECT_EQ(completions[1].reward, std::nullopt);
  EXPECT_EQ(completions[1].finish_reason, "length");
  EXPECT_EQ(completions[1].source, "other");
}

TEST(Completions, FlatRecordsOfOnePromptBecomeOneGroupInOrderOfFirstAppearance) {
  const auto groups = read(
      "{\"prompt\":\"b\",\"completion\":\"b1\",\"reward\":0.5}\n"
      "{\"prompt\":\"a\",\"completion\":\"\",\"source\":\"human\"}\n"
      "{\"prompt\":\"b\",\"completion\":[1,2],\"answer\":\"late\"}\n");
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].prompt.text, "b");
  EXPECT_EQ(groups[0].prompt.answer, "late");
  ASSERT_EQ(groups[0].completions.size(), 2U);
  EXPECT_EQ(groups[0].completions[0].reward, 0.5);
  EXPECT_EQ(groups[0].completions[0].source, "stored");
  EXPECT_EQ(groups[0].completions[1].ids, (TokenIds{1, 2}));
  EXPECT_EQ(groups[1].completions[0].text, "");
  EXPECT_EQ(groups[1].completions[0].source, "human");
}

TEST(Completions, SeveralFilesMerge) {
  const std::array paths = {
      test_file("first.jsonl", R"({"prompt": "a", "completions": [{"text": "1"}, {"text": "2"}]})"),
      test_file("second.jsonl", R"({"prompt": "c", "completion": "3"})"
                                "\n"
                                R"({"prompt": "a", "completion": "4"})")};
  const auto groups = read_completions(paths);
  ASSERT_EQ(groups.size(), 2U);
  ASSERT_EQ(groups[0].completions.size(), 3U);
  EXPECT_EQ(groups[0].completions[2].text, "4");
  EXPECT_EQ(groups[1].prompt.text, "c");
}

TEST(Completions, LogprobsByToken) {
  const auto groups =
      read(R"({"prompt": "a", "completions": [{"ids": [3, 4], "logprobs": [-0.1, 0]}, )"
           R"({"text": "33", "logprobs": [-1, -2, 1e-7], "logprob": -3}, {"text": "4", "logprobs": null}]})"
           "\n"
           R"({"prompt": "a", "completion": [5], "logprobs": [-1e30]})");
  const auto& completions = groups[0].completions;
  ASSERT_EQ(completions.size(), 4U);
  EXPECT_EQ(completions[0].logprobs, (std::vector<float>{-0.1F, 0}));
  EXPECT_EQ(completions[0].logprob, std::nullopt);
  EXPECT_EQ(completions[1].logprobs, (std::vector<float>{-1, -2, 1e-7F}));
  EXPECT_EQ(completions[1].logprob, -3.0);
  EXPECT_TRUE(completions[2].logprobs.empty());
  EXPECT_EQ(completions[3].logprobs, (std::vector<float>{-1e30F}));
}

TEST(Completions, LogprobErrorsNameThePlaceTheExpectedAndTheFound) {
  const auto second = [](const std::string& fields) {
    return read_error(R"({"prompt": "a", "completions": [{"text": "x"}, {)" + fields + "}]}");
  };
  const std::string place = "c.jsonl: line 1: completion 2: ";
  const std::string count = place + "'logprobs' must hold one number per id: expected 2, found ";
  EXPECT_THAT(second(R"("ids": [3, 4], "logprobs": [-1])"), HasSubstr(count + "1"));
  EXPECT_THAT(second(R"("ids": [3, 4], "logprobs": [-1, -1, -1])"), HasSubstr(count + "3"));
  EXPECT_THAT(second(R"("ids": [3, 4], "text": "x", "logprobs": [])"), HasSubstr(count + "0"));
  EXPECT_THAT(read_error(R"({"prompt": "a", "completion": [3, 4], "logprobs": [-1]})"),
              HasSubstr("c.jsonl: line 1: 'logprobs' must hold one number per id: expected 2, found 1"));
  const std::string value = place + "'logprobs' must hold natural logs of probabilities (finite, at most 0), found ";
  EXPECT_THAT(second(R"("text": "x", "logprobs": [-1, 0.5])"), HasSubstr(value + "0.5 at index 1"));
  EXPECT_THAT(second(R"("text": "x", "logprobs": [2e-6])"), HasSubstr(value + "2e-06 at index 0"));
  EXPECT_THAT(second(R"("text": "x", "logprobs": [-1e39])"), HasSubstr(value + "-1e+39 at index 0"));
  EXPECT_THAT(second(R"("text": "x", "logprobs": [-1, null])"), HasSubstr(value + "null at index 1"));
  EXPECT_THAT(second(R"("text": "x", "logprobs": ["-1"])"), HasSubstr(value + "string at index 0"));
  EXPECT_THAT(second(R"("text": "x", "logprobs": [-Infinity])"), HasSubstr("c.jsonl: line 1: is not valid JSON"));
  EXPECT_THAT(second(R"("text": "x", "logprobs": -1)"),
              HasSubstr(place + "'logprobs' must be an array of numbers, found number"));
}

TEST(Completions, PreferencesAreTwoResponsesWithRewardsOneAndZero) {
  const auto groups = read(
      "{\"prompt\":\"a\",\"chosen\":\"good\",\"rejected\":[1,2],\"source\":\"human\",\"answer\":\"1\"}\n"
      "{\"prompt\":\"b\",\"chosen\":\"\",\"rejected\":\"bad\",\"finish_reason\":\"length\"}\n"
      "{\"prompt\":\"a\",\"completion\":\"fair\",\"reward\":0.5}\n"
      "{\"prompt\":\"a\",\"chosen\":\"good\",\"rejected\":\"poor\"}\n");
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].prompt.answer, "1");
  EXPECT_FALSE(groups[0].prompt.record.contains("chosen"));
  EXPECT_FALSE(groups[0].prompt.record.contains("rejected"));
  // The chosen one that came twice is there twice.
  const auto& first = groups[0].completions;
  const std::array<const char*, 5> texts = {"good", "", "fair", "good", "poor"};
  const std::array<double, 5> rewards = {1, 0, 0.5, 1, 0};
  const std::array<const char*, 5> sources = {"human", "human", "stored", "stored", "stored"};
  ASSERT_EQ(first.size(), 5U);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(first[i].text, texts[i]) << i;
    EXPECT_EQ(first[i].reward, rewards[i]) << i;
    EXPECT_EQ(first[i].source, sources[i]) << i;
  }
  EXPECT_EQ(first[1].ids, (TokenIds{1, 2}));
  ASSERT_EQ(groups[1].completions.size(), 2U);
  EXPECT_EQ(groups[1].completions[0].text, "");
  EXPECT_EQ(groups[1].completions[1].text, "bad");
  for (const auto& completion : groups[1].completions) EXPECT_EQ(completion.finish_reason, "length");
}

TEST(Completions, HalfAndMixedPreferencesAreErrors) {
  const auto error = [](const std::string& fields) { return read_error(R"({"prompt": "a", )" + fields + "}"); };
  const auto alone = [](const std::string& key) {
    return AllOf(HasSubstr("c.jsonl: line 1: has '" + key + "' alone"),
                 HasSubstr("hint: a preference holds both \"chosen\" and \"rejected\""));
  };
  EXPECT_THAT(error(R"("chosen": "x")"), alone("chosen"));
  EXPECT_THAT(error(R"("rejected": "x", "chosen": null)"), alone("rejected"));
  const auto both = [](const std::string& first, const std::string& second) {
    return AllOf(HasSubstr("c.jsonl: line 1: has both '" + first + "' and '" + second + "'"),
                 HasSubstr("hint: a record holds \"completions\", or \"completion\", or \"chosen\" and \"rejected\""));
  };
  const std::string pair = R"("chosen": "x", "rejected": "y", )";
  EXPECT_THAT(error(pair + R"("completion": "z")"), both("completion", "chosen"));
  EXPECT_THAT(error(pair + R"("completions": [{"text": "z"}])"), both("completions", "chosen"));
  EXPECT_THAT(error(R"("rejected": "y", "completion": "z")"), both("completion", "rejected"));
  for (const std::string key : {"reward", "logprob", "logprobs"})
    EXPECT_THAT(error(pair + "\"" + key + "\": 0"), HasSubstr("has '" + key + "', which is of one response"));
  EXPECT_THAT(error(R"("chosen": "x", "rejected": 7)"),
              HasSubstr("'rejected' must be a string or a list of token ids, found number"));
  EXPECT_THAT(error(R"("chosen": [{"role": "user"}], "rejected": "y")"), HasSubstr("'chosen' must hold token ids"));
}

TEST(Completions, LimitCountsPrompts) {
  const auto groups = read(
      "{\"prompt\":\"a\",\"completion\":\"1\"}\n{\"prompt\":\"b\",\"completion\":\"2\"}\n"
      "{\"prompt\":\"a\",\"completion\":\"3\"}\n",
      {.limit = 1});
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].completions.size(), 2U);
}

TEST(Completions, ErrorsNameLineAndCompletion) {
  const std::string good = "{\"prompt\":\"a\",\"answer\":\"1\",\"completion\":\"x\",\"reward\":1}\n";
  const auto second = [&](const std::string& line) { return read_error(good + line + "\n"); };
  EXPECT_THAT(second(R"({"prompt": "a", "completion": "x", "reward": NaN})"),
              HasSubstr("c.jsonl: line 2: is not valid JSON"));
  EXPECT_THAT(second(R"({"prompt": "a", "completion": "x", "reward": 1e999})"), HasSubstr("c.jsonl: line 2: "));
  EXPECT_THAT(second(R"({"prompt": "a", "completion": "x", "reward": "NaN"})"),
              HasSubstr("line 2: 'reward' must be a number, found string"));
  EXPECT_THAT(second(R"({"prompt": "a", "completion": "x", "reward": true})"), HasSubstr("found boolean"));
  EXPECT_THAT(second(R"({"prompt": "a"})"), HasSubstr("line 2: has neither 'completions' nor 'completion'"));
  EXPECT_THAT(second(R"({"prompt": "a", "completions": []})"), HasSubstr("line 2: 'completions' is empty"));
  EXPECT_THAT(second(R"({"prompt": "a", "completions": {}})"), HasSubstr("line 2: 'completions' must be an array"));
  EXPECT_THAT(second(R"({"prompt": "a", "completion": "x", "completions": []})"), HasSubstr("line 2: has both"));
  EXPECT_THAT(second(R"({"prompt": "a", "completion": 7})"),
              HasSubstr("'completion' must be a string or a list of token ids"));
  EXPECT_THAT(second(R"({"prompt": "a", "completions": [{"text": "x"}, {"reward": 1}]})"),
              HasSubstr("line 2: completion 2: has neither 'text' nor 'ids'"));
  EXPECT_THAT(second(R"({"prompt": "a", "completions": [{"text": "x", "finish_reason": "eos"}]})"),
              HasSubstr("line 2: completion 1: 'finish_reason' must be \"stop\" or \"length\", found \"eos\""));
  EXPECT_THAT(second(R"({"prompt": "a", "completion": "x", "logprob": 0.7})"),
              HasSubstr("'logprob' must be at most 0"));
  EXPECT_THAT(second(R"({"prompt": "a", "answer": "2", "completion": "x"})"),
              HasSubstr("line 2: the answer '2' differs from '1'"));
  EXPECT_THAT(second(R"({"completion": "x"})"), HasSubstr("line 2: has no prompt"));
  EXPECT_THAT(read_error(""), HasSubstr("c.jsonl: no completions found"));
}

TEST(Completions, ARequiredAnswerMayStandOnAnyRecord) {
  const std::string first = "{\"id\":\"q\",\"prompt\":\"a\",\"completion\":\"x\"}\n";
  EXPECT_THAT(read_error(first, {.require_answer = true}), HasSubstr("prompt 'q' (line 1) has no 'answer'"));
  const auto groups =
      read(first + "{\"prompt\":\"a\",\"answer\":\"1\",\"completion\":\"y\"}\n", {.require_answer = true});
  EXPECT_EQ(groups[0].prompt.answer, "1");
}

TEST(Completions, ReadsTheAddersLogsIntoMixedGroups) {
  const Path tasks = Path(AGRO_SHARED_DIR) / "models/mathgpt-adders/tasks";
  if (!std::filesystem::exists(tasks)) GTEST_SKIP() << "SKIPPED: reading real logs needs the shared folder";
  const std::array paths = {tasks / "completions_1_2.jsonl", tasks / "completions_1_1.jsonl"};
  const auto groups = read_completions(paths, {.require_answer = true});
  ASSERT_EQ(groups.size(), 1000U);
  double reward[2] = {0, 0};
  double logprob[2] = {0, 0};
  for (const auto& group : groups) {
    ASSERT_EQ(group.completions.size(), 16U);
    for (size_t i = 0; i < 16; ++i) {
      reward[i / 8] += *group.completions[i].reward / 8000;
      logprob[i / 8] += *group.completions[i].logprob / 8000;
    }
  }
  // The means that the files' own description states, to four decimals.
  constexpr double kRounding = 5.1e-5;
  EXPECT_NEAR(reward[0], 0.5148, kRounding);
  EXPECT_NEAR(reward[1], 0.4189, kRounding);
  EXPECT_NEAR(logprob[0], -1.1251, kRounding);
  EXPECT_NEAR(logprob[1], -1.3736, kRounding);
}

}  // namespace
}  // namespace agro
