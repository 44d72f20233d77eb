#include "text/pre_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace agro {
namespace {

using Words = std::vector<std::string>;

Words split_words(std::string_view text, const Split& split) {
  std::vector<std::string_view> pieces;
  split.apply(text, pieces);
  return {pieces.begin(), pieces.end()};
}

Words words(std::string_view text, const std::string& section) {
  Words result;
  PreTokenizer::parse(Json::parse(section)).for_each_word(text, [&](std::string_view word) {
    result.emplace_back(word);
  });
  return result;
}

std::string then_byte_level(const std::string& step, const std::string& options = R"("use_regex": false)") {
  return R"({"type": "Sequence", "pretokenizers": [)" + step +
         R"(, {"type": "ByteLevel", "add_prefix_space": false, )" + options + "}]}";
}

// The behaviours as HF's own documentation shows them.
TEST(Split, Behaviors) {
  const auto apply = [](SplitBehavior behavior) {
    return split_words("the-final--countdown", {.pattern = Regex("-"), .behavior = behavior});
  };
  EXPECT_EQ(apply(SplitBehavior::kRemoved), (Words{"the", "final", "countdown"}));
  EXPECT_EQ(apply(SplitBehavior::kIsolated), (Words{"the", "-", "final", "-", "-", "countdown"}));
  EXPECT_EQ(apply(SplitBehavior::kMergedWithPrevious), (Words{"the-", "final-", "-", "countdown"}));
  EXPECT_EQ(apply(SplitBehavior::kMergedWithNext), (Words{"the", "-final", "-", "-countdown"}));
  EXPECT_EQ(apply(SplitBehavior::kContiguous), (Words{"the", "-", "final", "--", "countdown"}));
}

TEST(Split, InvertTakesTheTextBetweenMatchesAsDelimiter) {
  const auto apply = [](SplitBehavior behavior) {
    return split_words("How are you?", {.pattern = Regex(R"(\w+|[^\w\s]+)"), .behavior = behavior, .invert = true});
  };
  EXPECT_EQ(apply(SplitBehavior::kRemoved), (Words{"How", "are", "you", "?"}));
  EXPECT_EQ(apply(SplitBehavior::kMergedWithPrevious), (Words{"How ", "are ", "you", "?"}));
  EXPECT_EQ(apply(SplitBehavior::kMergedWithNext), (Words{"How", " are", " you", "?"}));
  EXPECT_EQ(apply(SplitBehavior::kContiguous), (Words{"How", " ", "are", " ", "you?"}));
}

TEST(Split, AnEmptyPatternSeparatesCharacters) {
  EXPECT_EQ(split_words("aé😀", {.pattern = Regex("", Regex::Kind::kLiteral)}), (Words{"a", "é", "😀"}));
  EXPECT_EQ(split_words("", {.pattern = Regex("a*")}), Words{});
}

TEST(PreTokenizer, Gpt2ExpressionIsTheDefaultOfByteLevel) {
  EXPECT_EQ(words("Hello my friend,  it's 2024!\n", R"({"type": "ByteLevel", "add_prefix_space": false})"),
            (Words{"Hello", " my", " friend", ",", " ", " it", "'s", " 2024", "!", "\n"}));
}

TEST(PreTokenizer, PrefixSpaceGoesBeforeEveryPiece) {
  EXPECT_EQ(words("ab cd", R"({"type": "ByteLevel"})"), (Words{" ab", " cd"}));
  EXPECT_EQ(words("", R"({"type": "ByteLevel"})"), Words{});
  EXPECT_EQ(words("ab1 c", R"({"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": true},
                                {"type": "ByteLevel", "add_prefix_space": true, "use_regex": false}]})"),
            (Words{" ab", " 1", " c"}));
}

TEST(PreTokenizer, DigitsAloneOrTogether) {
  EXPECT_EQ(words("a123²b", then_byte_level(R"({"type": "Digits", "individual_digits": true})")),
            (Words{"a", "1", "2", "3", "²", "b"}));
  EXPECT_EQ(words("a123²b", then_byte_level(R"({"type": "Digits", "individual_digits": false})")),
            (Words{"a", "123²", "b"}));
}

TEST(PreTokenizer, StepsRunInOrder) {
  EXPECT_EQ(words("x12 y", then_byte_level(R"({"type": "Digits", "individual_digits": true})", R"("use_regex": true)")),
            (Words{"x", "1", "2", " y"}));
  EXPECT_EQ(
      words("a.b.c", then_byte_level(
                         R"({"type": "Split", "pattern": {"String": "."}, "behavior": "Removed", "invert": false})")),
      (Words{"a", "b", "c"}));
}

TEST(PreTokenizer, ErrorsNameTheValue) {
  EXPECT_THROW(words("a", then_byte_level(R"({"type": "Split", "pattern": {"Regex": "("}, "behavior": "Removed"})")),
               Error);
  EXPECT_THROW(words("a", then_byte_level(R"({"type": "Split", "pattern": {"Regex": "a"}, "behavior": "Merged"})")),
               Error);
  EXPECT_THROW(words("a", then_byte_level(R"({"type": "Split", "pattern": 3, "behavior": "Removed"})")), Error);
}

}  // namespace
}  // namespace agro
