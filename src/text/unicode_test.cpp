#include "text/unicode.h"

#include <gtest/gtest.h>

#include "text/byte_alphabet.h"

namespace agro {
namespace {

// Table 3-8 of the Unicode Standard and the examples beside it: one U+FFFD for each maximal subpart.
TEST(Utf8, ReplacesMaximalSubparts) {
  EXPECT_EQ(to_valid_utf8("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"),
            "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd");
  EXPECT_EQ(to_valid_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD"
            "A");
  EXPECT_EQ(to_valid_utf8("\xED\xA0\x80\xED\xBF\xBF\x41"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD"
            "A");
  EXPECT_EQ(to_valid_utf8("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD"
            "A\uFFFD\uFFFD"
            "B");
  EXPECT_EQ(to_valid_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"),
            "\uFFFD\uFFFD\uFFFD\uFFFD"
            "A");
}

TEST(Utf8, EveryCodePointSurvives) {
  for (char32_t code = 0; code <= 0x10FFFF; ++code) {
    if (code >= 0xD800 && code <= 0xDFFF) continue;
    std::string text;
    if (code < 0x80) {
      text = static_cast<char>(code);
    } else {
      const int length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      text += static_cast<char>((0xF00u >> length & 0xFF) | (code >> (6 * (length - 1))));
      for (int i = length - 2; i >= 0; --i) text += static_cast<char>(0x80 | ((code >> (6 * i)) & 0x3F));
    }
    ASSERT_TRUE(is_valid_utf8(text)) << std::hex << static_cast<uint32_t>(code);
    ASSERT_EQ(first_code_point(text).code, code);
    ASSERT_EQ(last_code_point("é" + text), code);
  }
}

TEST(Unicode, NormalForms) {
  EXPECT_EQ(normalize("e\u0301", NormalForm::kNfc), "\u00E9");
  EXPECT_EQ(normalize("\u00E9", NormalForm::kNfd), "e\u0301");
  EXPECT_EQ(normalize("\uFB01\u00B2", NormalForm::kNfkc), "fi2");
  EXPECT_EQ(normalize("\uFB01\u00E9", NormalForm::kNfkd), "fie\u0301");
  EXPECT_EQ(normalize("\uFB01", NormalForm::kNfc), "\uFB01");
  EXPECT_EQ(normalize("\u1112\u1161\u11AB", NormalForm::kNfc), "\uD55C");
  const std::string with_nul("a\0e\u0301", 5);
  EXPECT_EQ(normalize(with_nul, NormalForm::kNfc), std::string("a\0\u00E9", 4));
}

TEST(Unicode, WordAndWhiteSpace) {
  for (const char32_t code : {U'a', U'_', U'9', U'é', U'世', U'\u0301', U'Ⅳ', U'\u200D', U'Ⓐ'})
    EXPECT_TRUE(is_word_character(code));
  for (const char32_t code : {U'-', U' ', U'½', U'€', U'😀'}) EXPECT_FALSE(is_word_character(code));
  for (const char32_t code : {U' ', U'\t', U'\u0085', U'\u00A0', U'\u2009', U'\u3000'})
    EXPECT_TRUE(is_white_space(code));
  for (const char32_t code : {U'a', U'\u200B', U'\u180E', U'\uFEFF', U'\0'}) EXPECT_FALSE(is_white_space(code));
}

TEST(ByteAlphabet, SpellsEveryByteAndReadsItBack) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  const std::string text = spelled(all);
  EXPECT_TRUE(is_valid_utf8(text));
  std::string back;
  append_bytes(text, back);
  EXPECT_EQ(back, all);
  EXPECT_EQ(spelled(" the\n\xAD"), "ĠtheĊ\u0143");
}

TEST(ByteAlphabet, TokensOutsideItStandForThemselves) {
  std::string out = "x";
  append_bytes("Ġa世", out);
  EXPECT_EQ(out, "xĠa世");
}

}  // namespace
}  // namespace agro
