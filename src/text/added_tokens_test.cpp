#include "text/added_tokens.h"

#include <gtest/gtest.h>

namespace agro {
namespace {

/// "text" for ordinary text, "[text]" for an added token.
std::vector<std::string> cut(std::vector<AddedToken> tokens, std::string_view text) {
  std::vector<std::string> result;
  for (const TextSegment& segment : AddedTokenMatcher(std::move(tokens)).split(text)) {
    const std::string piece(segment.text);
    result.push_back(segment.id ? "[" + piece + "]" : piece);
  }
  return result;
}

using Cut = std::vector<std::string>;

TEST(AddedTokens, LeftmostThenLongest) {
  const std::vector<AddedToken> tokens = {
      {.content = "ab"}, {.content = "abcd"}, {.content = "bcdef"}, {.content = "a"}};
  EXPECT_EQ(cut(tokens, "xabcdef"), (Cut{"x", "[abcd]", "ef"}));
  EXPECT_EQ(cut(tokens, "abc"), (Cut{"[ab]", "c"}));
  EXPECT_EQ(cut(tokens, "acabb"), (Cut{"[a]", "c", "[ab]", "b"}));
  EXPECT_EQ(cut(tokens, ""), Cut{});
  EXPECT_EQ(cut({}, "abc"), Cut{"abc"});
}

TEST(AddedTokens, FindsEveryTokenOfALargeSetInALongText) {
  std::vector<AddedToken> tokens;
  std::string text;
  Cut expected;
  for (int i = 0; i < 300; ++i) {
    const std::string content = "<|t" + std::to_string(i) + "|>";
    tokens.push_back({.content = content, .id = i});
    text += content + "<|t";
    expected.insert(expected.end(), {"[" + content + "]", "<|t"});
  }
  EXPECT_EQ(cut(tokens, text), expected);
}

TEST(AddedTokens, StripsWhiteSpaceOnTheAskedSides) {
  EXPECT_EQ(cut({{.content = "<m>", .lstrip = true}}, "Hi <m> you \u2003\t<m>"),
            (Cut{"Hi", "[ <m>]", " you", "[ \u2003\t<m>]"}));
  EXPECT_EQ(cut({{.content = "<m>", .rstrip = true}}, "Hi <m> \u3000you"), (Cut{"Hi ", "[<m> \u3000]", "you"}));
  const AddedToken both = {.content = "<m>", .lstrip = true, .rstrip = true};
  EXPECT_EQ(cut({both}, "a\t<m> <m> b"), (Cut{"a", "[\t<m> ]", "[<m> ]", "b"}));
}

TEST(AddedTokens, SingleWordNeedsWordBoundaries) {
  const AddedToken ony = {.content = "ony", .single_word = true};
  EXPECT_EQ(cut({ony}, "Anthony ony, ony_ ony"), (Cut{"Anthony ", "[ony]", ", ony_ ", "[ony]"}));
  EXPECT_EQ(cut({ony}, "\u25CC\u0330ony -ony\u00E9"), (Cut{"\u25CC\u0330ony -ony\u00E9"}))
      << "marks are word characters";
}

TEST(AddedTokens, DefaultsFollowSpecial) {
  const auto tokens = parse_added_tokens(
      Json::parse(R"({"added_tokens": [{"id": 3, "content": "x", "special": true}, {"id": 4, "content": "y"}]})"));
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_FALSE(tokens[0].normalized);
  EXPECT_TRUE(tokens[1].normalized);
  EXPECT_TRUE(parse_added_tokens(Json::parse("{}")).empty());
}

}  // namespace
}  // namespace agro
