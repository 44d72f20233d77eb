#pragma once
// Tokens that are cut out of the text before anything else looks at it: the "added_tokens" section.
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/tokens.h"

namespace agro {

struct AddedToken {
  std::string content;
  TokenId id = 0;
  bool special = false;      // decoding may leave it out
  bool single_word = false;  // matches only where no word character touches it
  bool lstrip = false;       // takes the white space before it along
  bool rstrip = false;       // takes the white space after it along
  bool normalized = false;   // matched, normalized itself, in the normalized text instead of the raw one
};

/// Reads the section (missing or null: no tokens). Throws Error naming the entry.
std::vector<AddedToken> parse_added_tokens(const Json& tokenizer);

/// A stretch of text: one added token, or (no id) ordinary text.
struct TextSegment {
  std::string_view text;
  std::optional<TokenId> id;
};

/// Finds tokens in text: leftmost first, the longest of those that start at the same place.
class AddedTokenMatcher {
 public:
  AddedTokenMatcher() = default;
  /// Tokens with empty content never match; of two with equal content the first counts.
  explicit AddedTokenMatcher(std::vector<AddedToken> tokens);

  /// Cuts valid UTF-8 into segments, in order. Empty ones are left out.
  std::vector<TextSegment> split(std::string_view text) const;

 private:
  const AddedToken* longest_at_start(std::string_view text) const;

  std::vector<AddedToken> tokens_;  // sorted by content
  std::array<bool, 256> may_start_{};
};

}  // namespace agro
