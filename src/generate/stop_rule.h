#pragma once
// When a response is over: an end token, another stop id, or a stop string in its text.
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "generate/sampling.h"
#include "text/tokenizer.h"

namespace agro {

class StopRule {
 public:
  /// Throws Error for stop strings without a tokenizer (null), or an empty stop string.
  StopRule(const SamplingConfig& sampling, const TokenIds& end_ids, const Tokenizer* tokenizer);

  /// Whether the response ends with its last token. Called after every token, so only the tail of the text is read:
  /// the last tokens that can hold a stop string (each is at least one byte, a partial character may precede it).
  bool ends(const TokenIds& ids) const;

  /// Whether nothing can end a response but its length: a model without an end token, sampled without stop rules. Such
  /// a response is complete when it reaches max_new_tokens, not cut.
  bool length_is_the_end() const { return length_is_the_end_; }

 private:
  std::unordered_set<TokenId> ids_;
  std::vector<std::string> strings_;
  size_t tail_tokens_ = 0;
  bool length_is_the_end_ = false;
  const Tokenizer* tokenizer_;
};

}  // namespace agro
