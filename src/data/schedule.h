#pragma once
// Which prompt comes when: a random order per epoch, addressed by a running counter, so that a resumed run needs to
// remember one number only.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/rng.h"

namespace agro {

/// Endless sequence over `count` prompts: each block of `count` positions (an epoch) holds every prompt once, in an
/// order of its own. Equal (count, seed, stream) give equal sequences.
class PromptSchedule {
 public:
  /// Throws Error where count is 0.
  PromptSchedule(size_t count, uint64_t seed, Stream stream = Stream::kPromptOrder);

  /// Index of the prompt at `position` (0, 1, …; any order of calls). Not const: it remembers the current epoch.
  size_t at(uint64_t position);

  /// Indices at position … position + size − 1. A batch that reaches into the next epoch may hold a prompt twice.
  std::vector<size_t> batch(uint64_t position, size_t size);

  uint64_t epoch(uint64_t position) const { return position / count_; }

 private:
  size_t count_;
  DrawKey key_;  // its ordinal is the epoch that order_ belongs to
  std::vector<size_t> order_;
};

}  // namespace agro
