#include "data/prompts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/test_support.h"

namespace agro {
namespace {

using ::testing::HasSubstr;

PromptRecord parse(const std::string& json, const PromptOptions& options = {}) {
  return parse_prompt(Json::parse(json), options, 3);
}

std::string parse_error(const std::string& json, const PromptOptions& options = {}) {
  return error_of([&] { parse(json, options); });
}

TEST(Prompts, PlainTextKeepsItsWholeRecord) {
  const auto prompt = parse(R"({"id": "a-1", "prompt": "2 + 2 =", "answer": "4", "level": 5})");
  EXPECT_EQ(prompt.id, "a-1");
  EXPECT_EQ(prompt.text, "2 + 2 =");
  EXPECT_EQ(prompt.answer, "4");
  EXPECT_EQ(prompt.record["level"], 5);
  EXPECT_TRUE(prompt.messages.is_null());
  EXPECT_TRUE(prompt.ids.empty());
}

TEST(Prompts, QuestionAndAnswerComeAsInGsm8k) {
  const auto prompt = parse(R"({"question": "How many?", "answer": "12 / 4 = 3\n#### 3"})");
  EXPECT_EQ(prompt.text, "How many?");
  EXPECT_EQ(prompt.answer, "12 / 4 = 3\n#### 3");
  EXPECT_EQ(prompt.id, "line-3");
}

TEST(Prompts, ChatsAndTokenIds) {
  const std::string chat = R"([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}])";
  for (const char* key : {"prompt", "messages"}) {
    const auto prompt = parse(fmt::format(R"({{"{}": {}}})", key, chat));
    ASSERT_EQ(prompt.messages.size(), 2U);
    EXPECT_EQ(prompt.messages[1]["content"], "Hi");
    EXPECT_TRUE(prompt.text.empty());
  }
  EXPECT_EQ(parse(R"({"ids": [5, 0, 7]})").ids, (TokenIds{5, 0, 7}));
  EXPECT_EQ(parse(R"({"prompt": [5, 0, 7]})").ids, (TokenIds{5, 0, 7}));
}

TEST(Prompts, NumbersAreAnswersAndIds) {
  EXPECT_EQ(parse(R"({"prompt": "x", "answer": 42, "id": 7})").answer, "42");
  EXPECT_EQ(parse(R"({"prompt": "x", "answer": 42, "id": 7})").id, "7");
  EXPECT_EQ(parse(R"({"prompt": "x", "answer": -0.5})").answer, "-0.5");
  EXPECT_EQ(parse(R"({"prompt": "x", "answer": null})").answer, std::nullopt);
}

TEST(Prompts, NamedKeysWinOverTheUsualOnes) {
  PromptOptions options;
  options.prompt_key = "problem";
  options.answer_key = "solution";
  const auto prompt = parse(R"({"prompt": "no", "problem": "yes", "answer": "1", "solution": "2"})", options);
  EXPECT_EQ(prompt.text, "yes");
  EXPECT_EQ(prompt.answer, "2");
  EXPECT_THAT(parse_error(R"({"prompt": "no"})", options), HasSubstr("has no 'problem'"));
}

TEST(Prompts, TemplateFillsFieldsAndLeavesOtherBracesAlone) {
  PromptOptions options;
  options.prompt_template = "{question} ({level}) Write \\boxed{}, {{answer}}, {1} or \\frac{1}{2}.\nAnswer:";
  EXPECT_EQ(parse(R"({"question": "Why {level}?", "level": 3})", options).text,
            "Why {level}? (3) Write \\boxed{}, {answer}, {1} or \\frac{1}{2}.\nAnswer:");
  options.prompt_template = "Q: {prompt}";
  EXPECT_EQ(parse(R"({"question": "Why?"})", options).text, "Q: Why?");
  options.prompt_template = "{topic}: {prompt}";
  EXPECT_THAT(parse_error(R"({"prompt": "x"})", options), HasSubstr("asks for 'topic'"));
  options.prompt_template = "Solve this.{";
  EXPECT_THAT(parse_error(R"({"prompt": "x"})", options), HasSubstr("has no {prompt}"));
}

TEST(Prompts, WrongTypesAreNamed) {
  EXPECT_THAT(parse_error(R"({"answer": "4"})"), HasSubstr("has no prompt"));
  EXPECT_THAT(parse_error(R"({"prompt": null})"), HasSubstr("has no prompt"));
  EXPECT_THAT(parse_error(R"({"prompt": ""})"), HasSubstr("'prompt' is empty"));
  EXPECT_THAT(parse_error(R"({"prompt": []})"), HasSubstr("at least one message"));
  EXPECT_THAT(parse_error(R"({"prompt": 5})"), HasSubstr("found number"));
  EXPECT_THAT(parse_error(R"({"prompt": "x", "answer": ["4"]})"),
              HasSubstr("'answer' must be a string or a number, found array"));
  EXPECT_THAT(parse_error(R"({"prompt": "x", "id": 1.5})"), HasSubstr("'id' must be a string or an integer"));
  EXPECT_THAT(parse_error(R"(["x"])"), HasSubstr("expected a JSON object, found array"));
  EXPECT_THAT(parse_error(R"({"prompt": [{"role": "user", "content": "a"}, {"role": "user"}]})"),
              HasSubstr("message 2 of 'prompt': has no 'content'"));
  EXPECT_THAT(parse_error(R"({"prompt": [{"content": "a"}]})"), HasSubstr("message 1 of 'prompt': has no 'role'"));
  EXPECT_THAT(parse_error(R"({"ids": [1, -2]})"), HasSubstr("found -2 at index 1"));
  EXPECT_THAT(parse_error(R"({"ids": [18446744073709551615]})"), HasSubstr("found 18446744073709551615 at index 0"));
  EXPECT_THAT(parse_error(R"({"ids": []})"), HasSubstr("at least one token id"));
}

TEST(Prompts, DeepNestingIsRefused) {
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  EXPECT_THAT(parse_error(R"({"prompt": "x", "extra": )" + deep + "}"), HasSubstr("nested deeper than 64"));
}

TEST(Prompts, FilesKeepOrderAndLimit) {
  const Path path = test_file("p.jsonl", "{\"prompt\":\"a\"}\n\n{\"prompt\":\"b\"}\n{\"prompt\":\"c\"}\n");
  const auto all = read_prompts(path);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[1].id, "line-3");
  EXPECT_EQ(all[2].text, "c");
  EXPECT_EQ(read_prompts(path, {.limit = 2}).size(), 2U);
  const auto rest = read_prompts(path, {.skip = 1, .limit = 1});
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].text, "b");
  EXPECT_EQ(rest[0].id, "line-3");
  EXPECT_THAT(error_of([&] { read_prompts(path, {.skip = 3}); }), HasSubstr("holds 3 prompts, and all are skipped"));
}

TEST(Prompts, FileErrorsNameTheLine) {
  const auto message = [](std::string_view content, const PromptOptions& options = {}) {
    return error_of([&] { read_prompts(test_file("p.jsonl", content), options); });
  };
  EXPECT_THAT(message("{\"prompt\":\"a\"}\n{\"prompt\":\"b\"\n"), HasSubstr("p.jsonl: line 2: is not valid JSON"));
  EXPECT_THAT(message("{\"prompt\":\"a\"}\n{\"answer\":\"b\"}\n"), HasSubstr("p.jsonl: line 2: has no prompt"));
  EXPECT_THAT(message("{\"id\":\"x\",\"prompt\":\"a\"}\n{\"id\":\"x\",\"prompt\":\"b\"}\n"),
              HasSubstr("line 2: id 'x' was given on line 1 already"));
  EXPECT_THAT(message("{\"prompt\":\"a\"}\n", {.require_answer = true}), HasSubstr("line 1: has no 'answer'"));
  EXPECT_THAT(message("\n \n"), HasSubstr("holds no prompts"));
  EXPECT_THAT(message(""), HasSubstr("holds no prompts"));
}

TEST(Prompts, IdentityIsWhatTheModelIsAsked) {
  const auto same = [](const std::string& a, const std::string& b) {
    return prompt_identity(parse(a)) == prompt_identity(parse(b));
  };
  EXPECT_TRUE(same(R"({"id": "1", "prompt": "a", "answer": "x"})", R"({"question": "a"})"));
  EXPECT_TRUE(
      same(R"({"messages": [{"role": "user", "content": "a"}]})", R"({"prompt": [{"content": "a", "role": "user"}]})"));
  EXPECT_FALSE(same(R"({"prompt": "a"})", R"({"prompt": "b"})"));
  EXPECT_FALSE(same(R"({"prompt": "[1]"})", R"({"ids": [1]})"));
}

TEST(Prompts, ReadsGsm8kAndTheAdders) {
  const Path shared = AGRO_SHARED_DIR;
  if (!std::filesystem::exists(shared / "data"))
    GTEST_SKIP() << "SKIPPED: reading real prompt files needs the shared folder";
  const auto problems = read_prompts(shared / "data/gsm8k/train.jsonl", {.require_answer = true});
  EXPECT_EQ(problems.size(), 7473U);
  EXPECT_EQ(*problems[0].answer, "72");
  const auto sums = read_prompts(shared / "models/mathgpt-adders/tasks/eval_prompts.jsonl", {.require_answer = true});
  EXPECT_EQ(sums.size(), 1000U);
  EXPECT_EQ(sums[0].id, "eval-0000");
  EXPECT_EQ(sums[0].text, "847593");
  EXPECT_EQ(sums[0].answer, "1440");
}

}  // namespace
}  // namespace agro
