#pragma once
// Template source to tokens. Whitespace around tags is settled here, as transformers sets it up: trim_blocks and
// lstrip_blocks on, the last newline of the source dropped.
#include <string>
#include <string_view>
#include <vector>

namespace agro::detail::jinja {

enum class TokenKind { text, output_begin, output_end, tag_begin, tag_end, name, string, integer, real, symbol, end };

struct Token {
  TokenKind kind;
  std::string text;  // a string's content with its escapes resolved; the source of every other token
  int line;          // from 1
  int column;        // from 1, in code points
};

/// Throws Error naming line and column on an unclosed tag or string, an unknown character and unbalanced brackets.
/// The result ends with a token of kind `end`.
std::vector<Token> tokenize(std::string_view source);

}  // namespace agro::detail::jinja
