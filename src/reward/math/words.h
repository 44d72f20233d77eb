#pragma once
// What LaTeX commands and plain words mean in mathematics.
#include <optional>
#include <string>
#include <string_view>

namespace agro {

enum class TokenType : uint8_t {
  kNumber,    // "12.5": digits and at most one point
  kSymbol,    // one operator, relation or bracket
  kLetter,    // a variable: a letter or a Greek name
  kConstant,  // "pi", "infinity", "reals", ...
  kFunction,  // "sin", "log", ...
  kCommand,   // a command with its own syntax: "frac", "sqrt", "begin", "overline", "sum", ...
  kText,      // words
  kCurrency,  // "$", "£", ...
  kRow,       // the end of a row of a matrix
  kEnd,
};

struct Word {
  TokenType type;
  std::string_view text;
};

/// What the command `\name` means. Empty text: it only changes the look and is skipped.
std::optional<Word> find_command(std::string_view name);

/// What a word of running text means in a formula: "sin", "pi", "and", "theta".
std::optional<Word> find_word(std::string_view name);

}  // namespace agro
