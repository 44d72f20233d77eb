#include "data/leak_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/test_support.h"

namespace agro {
namespace {

std::vector<PromptRecord> prompts(std::initializer_list<const char*> lines, const PromptOptions& options = {}) {
  std::vector<PromptRecord> read;
  for (const char* line : lines)
    read.push_back(parse_prompt(Json::parse(line), options, static_cast<int64_t>(read.size()) + 1));
  return read;
}

TEST(Leaks, QuestionsAreComparedWithoutTheirForm) {
  EXPECT_EQ(normalized_question("  How   many\n eggs?"), normalized_question("how many eggs"));
  EXPECT_EQ(normalized_question("ﬁve\u00a0eggs"), "five eggs");
  EXPECT_NE(normalized_question("What is 3 + 4?"), normalized_question("What is 3 - 4?"));
  EXPECT_NE(normalized_question("3.5"), normalized_question("35"));
  EXPECT_EQ(normalized_question("?!"), "?!");
  EXPECT_EQ(normalized_question("\xff x"), normalized_question("\uFFFD x"));
}

TEST(Leaks, CountsThePromptsThatAreTrainedOn) {
  PromptOptions wrapped;
  wrapped.prompt_template = "Question: {prompt}\nAnswer:";
  const auto training = prompts({R"({"prompt": "How many eggs?"})", R"({"prompt": "How far?"})", R"({"ids": [1, 2]})"});
  const auto evaluation = prompts({R"({"id": "a", "question": "how many  eggs"})",
                                   R"({"id": "b", "prompt": "How long?"})", R"({"id": "d", "prompt": "How far"})"},
                                  wrapped);
  const PromptLeak leak = find_leaks(training, evaluation);
  EXPECT_EQ(leak.count, 2U);
  EXPECT_THAT(leak.examples, testing::ElementsAre("a", "d"));
  EXPECT_THAT(describe_leaks(leak, 3),
              testing::StartsWith("2 of 3 evaluation prompts are training prompts, too (a, d):"));
  const auto chats =
      prompts({R"({"messages": [{"role": "system", "content": "x"}, {"role": "user", "content": "How far?"}]})",
               R"({"ids": [1, 2]})", R"({"ids": [1, 3]})"});
  EXPECT_EQ(find_leaks(training, chats).count, 2U);
  EXPECT_EQ(describe_leaks(find_leaks(evaluation, prompts({R"({"prompt": "New?"})"})), 1), "");
}

}  // namespace
}  // namespace agro
