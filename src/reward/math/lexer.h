#pragma once
// LaTeX and plain mathematics to tokens. What only changes the look (\left, \,, $, font commands) is gone after this.
#include <string>
#include <string_view>
#include <vector>

#include "reward/math/budget.h"
#include "reward/math/words.h"

namespace agro {

struct Token {
  TokenType type = TokenType::kEnd;
  std::string text = {};
  bool space_before = false;

  bool is(TokenType other) const { return type == other; }
  bool is(TokenType other, std::string_view other_text) const { return type == other && text == other_text; }
  bool is_symbol(std::string_view symbol) const { return is(TokenType::kSymbol, symbol); }
};

/// The tokens of ASCII `text` (as to_ascii_math gives it), with kEnd at the end. Numbers carry no thousands separators.
/// Symbols are one character, but for: pm, mp, "\{", "\}", "and" and "or" (between items), "...", ">>" (an
/// arrow), "floor(", ")floor", "ceil(", ")ceil"; relations are written as in Kind::kRelation. Throws Undecided when the
/// budget runs out. Linear in the input.
std::vector<Token> tokenize(std::string_view text, Budget& budget);

}  // namespace agro
