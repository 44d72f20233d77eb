// The text side of a model folder, as far as it has one.
#include "data/text_tools.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "data/test_support.h"

namespace agro {
namespace {

using ::testing::HasSubstr;

const Path kGolden = Path(AGRO_SOURCE_DIR) / "tests/golden";

PromptRecord prompt(const Json& record) { return parse_prompt(record, {}, 1); }

class TextToolsOfAddition : public testing::Test {
 protected:
  TextTools tools = load_text_tools(kGolden / "e2e_qwen2_addition");
  Encoders encoders = make_encoders(tools, {378, 376}, true);
  Json golden = read_json(kGolden / "e2e_qwen2_addition/golden.json");
};

TEST_F(TextToolsOfAddition, ChatsBecomeTheIdsOfTransformers) {
  for (const Json& example : golden["cases"])
    EXPECT_EQ(encode_prompt(prompt({{"messages", example["messages"]}}), encoders),
              example["prompt_ids"].get<TokenIds>());
}

TEST_F(TextToolsOfAddition, PlainTextIsNotMadeAChat) {
  const PromptRecord plain = prompt({{"prompt", "What is 2+2?"}});
  EXPECT_EQ(encode_prompt(plain, encoders), tools.tokenizer->encode("What is 2+2?"));
}

TEST_F(TextToolsOfAddition, ASystemPromptMakesAChatOfPlainTextOnly) {
  PromptRecord plain = prompt({{"prompt", "What is 2+2?"}});
  add_system_prompt(plain, "");
  EXPECT_EQ(plain.text, "What is 2+2?");
  add_system_prompt(plain, "Answer briefly.");
  const PromptRecord chat = prompt(
      {{"messages",
        {{{"role", "system"}, {"content", "Answer briefly."}}, {{"role", "user"}, {"content", "What is 2+2?"}}}}});
  EXPECT_EQ(encode_prompt(plain, encoders), encode_prompt(chat, encoders));
  PromptRecord same = chat;
  add_system_prompt(same, "Another.");
  EXPECT_EQ(same.messages, chat.messages);
  PromptRecord ids = prompt(Json::parse(R"({"ids": [1, 2]})"));
  add_system_prompt(ids, "Another.");
  EXPECT_EQ(encode_prompt(ids, encoders), (TokenIds{1, 2}));
}

TEST_F(TextToolsOfAddition, CompletionsOfIdsGetTheirText) {
  TokenIds ids = tools.tokenizer->encode("17");
  ids.push_back(378);
  const Response response = to_response({.ids = ids, .finish_reason = "stop"}, encoders);
  EXPECT_EQ(response.ids, ids);
  EXPECT_EQ(response.text, "17");
  EXPECT_EQ(to_response({.text = "17"}, encoders).ids, ids);
}

TEST(TextTools, AFolderWithoutTokenizerWorksOnIds) {
  const TextTools tools = load_text_tools(kGolden / "gpt2");
  EXPECT_EQ(tools.tokenizer_or_null(), nullptr);
  const Encoders encoders = make_encoders(tools, {2}, true);
  EXPECT_EQ(encode_prompt(prompt(Json::parse(R"({"ids": [5, 6]})")), encoders), (TokenIds{5, 6}));
  EXPECT_THAT(error_of([&] {
                encode_prompt(prompt({{"id", "p"}, {"prompt", "text"}}), encoders);
              }),
              HasSubstr("prompt 'p': is text, but the model folder has no tokenizer"));
  EXPECT_EQ(to_response({.ids = {7}, .finish_reason = "stop"}, encoders).text, "");
}

TEST(TextTools, ABrokenTokenizerIsAnError) {
  const Path broken = test_file("tokenizer.json", R"({"model": {"type": "BPE", "vocab": {"a": 0}}})");
  EXPECT_THAT(error_of([&] { load_text_tools(broken.parent_path()); }), HasSubstr("merges"));
  const Path cut = test_file("tokenizer.json", "{\"model\": ");
  EXPECT_THAT(error_of([&] { load_text_tools(cut.parent_path()); }), HasSubstr("tokenizer.json"));
}

TEST(CheckFits, TheLastTokenNeedsNoPosition) {
  const PromptRecord record = prompt(Json::parse(R"({"id": "p", "ids": [1]})"));
  const ModelLimits limits{.positions = 5, .vocabulary = 10};
  EXPECT_NO_THROW(check_fits(record, {1, 2, 3, 4, 5}, {}, limits));
  EXPECT_NO_THROW(check_fits(record, {1, 2, 3, 4, 5}, {6}, limits));
  EXPECT_THAT(error_of([&] {
                check_fits(record, {1, 2, 3, 4, 5, 6}, {}, limits);
              }),
              HasSubstr("prompt 'p': 6 tokens are more than the model's 5 positions"));
  EXPECT_THAT(error_of([&] {
                check_fits(record, {1, 2, 3, 4, 5}, {6, 7}, limits);
              }),
              HasSubstr("prompt 'p' with its completion: 6 tokens are more than the model's 5 positions"));
  EXPECT_THAT(error_of([&] { check_fits(record, {1}, {10}, limits); }),
              HasSubstr("token id 10 is outside the model's vocabulary of 10"));
}

}  // namespace
}  // namespace agro
