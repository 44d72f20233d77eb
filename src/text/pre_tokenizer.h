#pragma once
// Cuts normalized text into the words that byte-pair encoding never merges across: the "pre_tokenizer" section.
#include <functional>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/split.h"

namespace agro {

class PreTokenizer {
 public:
  /// Reads ByteLevel, or a Sequence of Split and Digits that ends in ByteLevel. Throws Error for anything else.
  static PreTokenizer parse(const Json& section);

  /// Calls `visit` with each word of valid UTF-8 `text`, in order. The words live only during the call.
  void for_each_word(std::string_view text, const std::function<void(std::string_view)>& visit) const;

 private:
  std::vector<Split> before_;      // run ahead of ByteLevel
  std::vector<Split> byte_level_;  // ByteLevel's own regular expression, or none
  bool add_prefix_space_ = false;
};

}  // namespace agro
