#include "model/shares.h"

#include <algorithm>

#include "core/parallel.h"

namespace agro {

void divide_into_shares(const Offsets& offsets, const Prefixes& prefixes, int64_t weight_bytes,
                        std::vector<Share>& shares) {
  // Each share reads all weights: from a cache for nothing, from memory only if enough rows use what was read.
  constexpr int64_t kCached = 8 << 20, kFewRows = 12, kManyRows = 64, kMostRows = 96;
  const int64_t tokens = offsets.back(), sequences = static_cast<int64_t>(offsets.size()) - 1;
  const int64_t threads = thread_count();
  const int64_t possible = std::min(sequences, tokens / (weight_bytes <= kCached ? kFewRows : kManyRows));
  const int64_t count =
      possible < threads ? 1 : std::min(possible, std::max(threads, tokens / kMostRows / threads * threads));
  const auto continues = [&](int64_t s) {
    return s < sequences && !prefixes.empty() && prefixes[static_cast<size_t>(s)] >= 0;
  };
  shares.clear();
  for (int64_t i = 1, begin = 0; i <= count && begin < sequences; ++i) {
    int64_t end = begin;
    while (end < sequences && (i == count || continues(end) || offsets[static_cast<size_t>(end)] < tokens * i / count))
      ++end;
    const int64_t first = offsets[static_cast<size_t>(begin)];
    if (end > begin) shares.push_back({begin, end, first, offsets[static_cast<size_t>(end)] - first});
    begin = end;
  }
}

}  // namespace agro
