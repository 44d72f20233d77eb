#include "data/encode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "data/test_support.h"

namespace agro {
namespace {

using ::testing::HasSubstr;

constexpr TokenId kEnd = 99;

/// One token per digit; a chat is its contents in a row.
Encoders digits() {
  Encoders encoders;
  encoders.encode = [](std::string_view text) {
    TokenIds ids;
    for (const char c : text)
      if (c >= '0' && c <= '9') ids.push_back(c - '0');
    return ids;
  };
  encoders.render_chat = [](const OrderedJson& messages) {
    std::string text;
    for (const auto& message : messages) text += message["content"].get<std::string>();
    return text;
  };
  encoders.end_ids = {kEnd, 98};
  return encoders;
}

PromptRecord prompt(const std::string& json) { return parse_prompt(Json::parse(json), {}, 1); }

TokenIds response_ids(const StoredCompletion& completion, const Encoders& encoders = digits()) {
  return to_response(completion, encoders).ids;
}

TEST(Encode, PromptsOfEveryForm) {
  EXPECT_EQ(encode_prompt(prompt(R"({"prompt": "12"})"), digits()), (TokenIds{1, 2}));
  EXPECT_EQ(encode_prompt(prompt(R"({"ids": [7, 8]})"), Encoders{}), (TokenIds{7, 8}));
  EXPECT_EQ(
      encode_prompt(prompt(R"({"messages": [{"role": "user", "content": "3"}, {"role": "user", "content": "4"}]})"),
                    digits()),
      (TokenIds{3, 4}));
}

TEST(Encode, PromptErrorsNameThePrompt) {
  const auto message = [](const std::string& json, const Encoders& encoders) {
    return error_of([&] { encode_prompt(prompt(json), encoders); });
  };
  EXPECT_THAT(message(R"({"id": "q", "prompt": "1"})", {}),
              HasSubstr("prompt 'q': is text, but the model folder has no tokenizer"));
  EXPECT_THAT(message(R"({"prompt": "no digit"})", digits()), HasSubstr("prompt 'line-1': encodes to no token"));
  Encoders no_chat = digits();
  no_chat.render_chat = nullptr;
  EXPECT_THAT(message(R"({"messages": [{"role": "user", "content": "3"}]})", no_chat), HasSubstr("no chat template"));
}

TEST(Encode, EndTokenIsAppendedWhereItBelongs) {
  EXPECT_EQ(response_ids({.text = "12"}), (TokenIds{1, 2, kEnd}));
  EXPECT_EQ(response_ids({.text = "12", .finish_reason = "stop"}), (TokenIds{1, 2, kEnd}));
  EXPECT_EQ(response_ids({.text = "12", .finish_reason = "length"}), (TokenIds{1, 2}));
  EXPECT_EQ(response_ids({.text = ""}), (TokenIds{kEnd}));
  // Ids win over text. Without finish_reason the end is added once, whichever end token is there already.
  EXPECT_EQ(response_ids({.text = "12", .ids = {5}}), (TokenIds{5, kEnd}));
  EXPECT_EQ(response_ids({.ids = {5, kEnd}}), (TokenIds{5, kEnd}));
  EXPECT_EQ(response_ids({.ids = {5, 98}}), (TokenIds{5, 98}));
  EXPECT_EQ(response_ids({.ids = {5}, .finish_reason = "stop"}), (TokenIds{5}));

  Encoders plain = digits();
  plain.append_end = false;
  EXPECT_EQ(response_ids({.text = "12"}, plain), (TokenIds{1, 2}));
  Encoders endless = digits();
  endless.end_ids.clear();
  EXPECT_EQ(response_ids({.text = "12"}, endless), (TokenIds{1, 2}));
  EXPECT_THAT(error_of([&] { response_ids({.text = ""}, endless); }), HasSubstr("no token at all"));
}

TEST(Encode, ResponseCarriesWhatTheFileSays) {
  const Response response = to_response(
      {.text = "1", .reward = 0.25, .finish_reason = "length", .source = "human", .logprob = -2.0}, digits());
  EXPECT_EQ(response.reward, 0.25);
  EXPECT_FALSE(response.finished);
  EXPECT_EQ(response.source, "human");
  EXPECT_EQ(response.behavior_logprob, -2.0);
  EXPECT_TRUE(std::isnan(to_response({.text = "1"}, digits()).reward));
  EXPECT_TRUE(to_response({.text = "1"}, digits()).finished);
}

TEST(Encode, TokenLogprobsAreKeptWhereEveryTokenHasOne) {
  using Logprobs = std::vector<float>;
  const auto kept = [](const StoredCompletion& completion) {
    return to_response(completion, digits()).behavior_logprobs;
  };
  const Logprobs two = {-0.5F, -0.25F}, three = {-0.5F, -0.25F, -1};
  EXPECT_EQ(kept({.ids = {1, 2}, .finish_reason = "stop", .logprobs = two}), two);
  EXPECT_EQ(kept({.ids = {1, kEnd}, .logprobs = two}), two);
  // The end token is appended, its probability unknown.
  EXPECT_EQ(kept({.ids = {1, 2}, .logprobs = two}), Logprobs());
  EXPECT_EQ(kept({.text = "12", .logprobs = two}), Logprobs());
  EXPECT_EQ(kept({.text = "12", .finish_reason = "length", .logprobs = two}), two);
  EXPECT_EQ(kept({.text = "12", .logprobs = three}), three);
  EXPECT_EQ(kept({.text = "1", .logprobs = three}), Logprobs());
  EXPECT_EQ(kept({.text = "12"}), Logprobs());
}

TEST(Encode, AMissingLogprobIsTheSumOfTheKeptOnes) {
  const auto logprob = [](const StoredCompletion& completion) {
    return to_response(completion, digits()).behavior_logprob;
  };
  EXPECT_EQ(logprob({.text = "12", .logprobs = {-0.5F, -0.25F, -1}}), -1.75);
  EXPECT_EQ(logprob({.text = "12", .logprob = -2.0, .logprobs = {-0.5F, -0.25F, -1}}), -2.0);
  EXPECT_EQ(logprob({.text = "12", .logprobs = {-0.5F, -0.25F}}), std::nullopt);
  EXPECT_EQ(logprob({.text = "12", .logprob = -2.0, .logprobs = {-0.5F}}), -2.0);
}

}  // namespace
}  // namespace agro
