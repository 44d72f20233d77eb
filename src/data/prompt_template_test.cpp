#include "data/prompt_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/prompts.h"
#include "data/test_support.h"

namespace agro {
namespace {

using testing::HasSubstr;

PromptTemplate load(std::string_view content, const std::string& name = "t.toml") {
  return load_prompt_template(test_file(name, content));
}

PromptRecord asked(const PromptTemplate& form, const std::string& json) {
  PromptOptions options;
  options.form = form;
  return parse_prompt(Json::parse(json), options, 1);
}

TEST(PromptTemplates, ATextFileIsTheText) {
  const PromptTemplate form = load("Problem ({level}): {prompt}\n\nWrite \\boxed{}.\n", "t.txt");
  const PromptRecord prompt = asked(form, R"({"prompt": "1 + 1?", "level": 2})");
  EXPECT_EQ(prompt.text, "Problem (2): 1 + 1?\n\nWrite \\boxed{}.");
  EXPECT_EQ(prompt.question, "1 + 1?");
  EXPECT_THAT(error_of([] { load("Solve it.", "t.txt"); }), testing::AllOf(HasSubstr("t.txt"), HasSubstr("{prompt}")));
}

TEST(PromptTemplates, ExamplesStandBeforeThePrompt) {
  const PromptTemplate form = load(R"(
text = "Q: {prompt}\nA:"
[[example]]
prompt = "1 + 1?"
completion = "2"
[[example]]
prompt = "2 + 2?"
completion = "4"
)");
  EXPECT_EQ(asked(form, R"({"question": "3 + 3?"})").text, "Q: 1 + 1?\nA: 2\n\nQ: 2 + 2?\nA: 4\n\nQ: 3 + 3?\nA:");
}

TEST(PromptTemplates, AChatHasTurns) {
  const PromptTemplate form = load(R"(
form = "chat"
system = "Be brief."
text = "{prompt} Go."
[[example]]
prompt = "1 + 1?"
completion = "2"
)");
  const PromptRecord prompt = asked(form, R"({"prompt": "3 + 3?"})");
  EXPECT_EQ(prompt.text, "");
  EXPECT_EQ(prompt.question, "3 + 3?");
  EXPECT_EQ(
      prompt.messages,
      OrderedJson::parse(R"([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "1 + 1? Go."},
              {"role": "assistant", "content": "2"}, {"role": "user", "content": "3 + 3? Go."}])"));
  // What comes as a chat stays as it is.
  EXPECT_EQ(asked(form, R"({"messages": [{"role": "user", "content": "x"}]})").messages.size(), 1U);
}

TEST(PromptTemplates, MistakesAreNamed) {
  EXPECT_THAT(error_of([] { load("txt = \"{prompt}\""); }), HasSubstr("text"));
  EXPECT_THAT(error_of([] { load("system = \"x\""); }), HasSubstr("form = \"chat\""));
  EXPECT_THAT(error_of([] { load("text = \"x\""); }), HasSubstr("has no {prompt}"));
  EXPECT_THAT(error_of([] { load("[[example]]\nprompt = \"x\""); }),
              testing::AllOf(HasSubstr("example 1"), HasSubstr("needs a prompt and a completion")));
  EXPECT_THAT(error_of([] { load("text = \"{prompt} {level}\"\n[[example]]\nprompt = \"x\"\ncompletion = \"y\""); }),
              testing::AllOf(HasSubstr("example 1"), HasSubstr("asks for 'level'")));
}

TEST(PromptTemplates, TheFilesOfTheRepositoryLoad) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(Path(AGRO_SOURCE_DIR) / "configs/prompts")) {
    const PromptRecord prompt = asked(load_prompt_template(entry.path()), R"({"prompt": "A needle?"})");
    const std::string whole =
        prompt.text + (prompt.messages.is_null() ? "" : prompt.messages.back()["content"].get<std::string>());
    EXPECT_THAT(whole, HasSubstr("A needle?")) << entry.path();
    ++count;
  }
  EXPECT_GE(count, 6U);
}

}  // namespace
}  // namespace agro
