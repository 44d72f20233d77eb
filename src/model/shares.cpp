#include "model/shares.h"

#include <algorithm>

#include "core/parallel.h"

namespace agro {

Share whole(const Offsets& offsets) { return {0, static_cast<int64_t>(offsets.size()) - 1, 0, offsets.back()}; }

void cut(const PackedSequences& batch, const Share& part, int64_t count, std::vector<Share>& shares) {
  const auto row = [&](int64_t s) { return batch.offsets[static_cast<size_t>(s)]; };
  const auto continues = [&](int64_t s) {
    return s < part.end && !batch.prefixes.empty() && batch.prefixes[static_cast<size_t>(s)] >= 0;
  };
  shares.clear();
  for (int64_t i = 1, begin = part.begin; i <= count && begin < part.end; ++i) {
    int64_t end = begin;
    while (end < part.end && (i == count || continues(end) || row(end) - part.first_row < part.rows * i / count)) ++end;
    if (end > begin) shares.push_back({begin, end, row(begin), row(end) - row(begin)});
    begin = end;
  }
}

void divide_into_shares(const PackedSequences& batch, const Share& part, int64_t weight_bytes,
                        std::vector<Share>& shares) {
  // Each share reads all weights: from a cache for nothing, from memory only if enough rows use what was read.
  constexpr int64_t kCached = 8 << 20, kFewRows = 12, kManyRows = 64, kMostRows = 96;
  const int64_t threads = thread_count();
  const int64_t possible =
      std::min(part.end - part.begin, part.rows / (weight_bytes <= kCached ? kFewRows : kManyRows));
  const int64_t count =
      possible < threads ? 1 : std::min(possible, std::max(threads, part.rows / kMostRows / threads * threads));
  cut(batch, part, count, shares);
}

}  // namespace agro
