#pragma once
// One splitting rule of a pre-tokenizer: where a pattern matches, and what becomes of the matches.
#include <string_view>
#include <vector>

#include "text/regex.h"

namespace agro {

/// HF's names: what happens to a match ("delimiter").
enum class SplitBehavior { kIsolated, kRemoved, kMergedWithPrevious, kMergedWithNext, kContiguous };

struct Split {
  Regex pattern;
  SplitBehavior behavior = SplitBehavior::kIsolated;
  bool invert = false;  // the text between matches is the delimiter

  /// Appends the non-empty pieces of valid UTF-8 `text`, in order; they point into `text`.
  void apply(std::string_view text, std::vector<std::string_view>& pieces) const;
};

}  // namespace agro
