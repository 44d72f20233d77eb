#include "text/regex.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace agro {
namespace {

bool matches_all(std::string_view pattern, std::string_view text) {
  return Regex(pattern).find_all(text) == std::vector<TextRange>{{0, text.size()}};
}

TEST(Regex, EmptyMatchesDoNotFollowAMatch) {
  EXPECT_EQ(Regex("a*").find_all("baac"), (std::vector<TextRange>{{0, 0}, {1, 3}, {4, 4}}));
}

TEST(Regex, WhiteSpaceIsUnicodes) {
  EXPECT_TRUE(matches_all(R"(\s+)", "\t\v\u0085\u00A0\u2003\u2028\u3000"));
  EXPECT_FALSE(matches_all(R"(\s)", "\u180E")) << "the Mongolian vowel separator is no white space";
  EXPECT_TRUE(matches_all(R"([^\S\n]+)", "\t "));
  EXPECT_TRUE(matches_all(R"([a\s]+)", "a a"));
}

TEST(Regex, WordCharactersIncludeMarks) {
  EXPECT_TRUE(matches_all(R"(\w+)", "e\u0301_हिन्दी٣Ⅳ"));
  EXPECT_TRUE(matches_all(R"([\w-]+)", "a-b"));
  EXPECT_TRUE(matches_all(R"(\W+)", "½-!"));
}

TEST(Regex, ScriptsAreNotScriptExtensions) {
  EXPECT_TRUE(matches_all(R"(\p{Han}+)", "世界"));
  EXPECT_FALSE(matches_all(R"(\p{Han})", "、")) << "common punctuation that Han text uses";
  EXPECT_TRUE(matches_all(R"(\p{^Han}\P{Han})", "ab"));
}

TEST(Regex, NestedClassIsAUnion) {
  EXPECT_EQ(Regex(R"( ?[^(\s|[.,])]+)").find_all("ab, c"), (std::vector<TextRange>{{0, 2}, {3, 5}}));
  EXPECT_TRUE(matches_all("[[:digit:]x]+", "1x2"));
  EXPECT_TRUE(matches_all("[]a]+", "]a"));
}

TEST(Regex, CaseFoldingReachesTheLongS) { EXPECT_TRUE(matches_all("(?i:'s|'t)", "'\u017F")); }

TEST(Regex, LinesAreRubys) { EXPECT_EQ(Regex("^.").find_all("a\nb\r"), (std::vector<TextRange>{{0, 1}, {2, 3}})); }

TEST(Regex, LiteralsAreNotPatterns) {
  EXPECT_EQ(Regex("a.+", Regex::Kind::kLiteral).find_all("abb a.+"), (std::vector<TextRange>{{4, 7}}));
}

TEST(Regex, DeepBacktrackingFallsBackToTheInterpreter) {
  const std::string text(200'000, 'a');
  EXPECT_TRUE(matches_all("(?:(a)|b)+", text));
}

TEST(Regex, RunawaySearchIsAnErrorNotAHang) {
  EXPECT_THROW(Regex("(?:a+)+b|(?:x?)+(?:x?)+c").find_all(std::string(60, 'a') + "d"), Error);
}

TEST(Regex, RefusesWhatHasNoCounterpart) {
  for (const char* pattern :
       {"(", "[a", "\\", "[a&&b]", "[a[^b]]", R"([\W])", R"(\h)", R"(\p{NoSuch})", R"(\C)", "[a[:b"})
    EXPECT_THROW(Regex{pattern}, Error) << pattern;
}

}  // namespace
}  // namespace agro
