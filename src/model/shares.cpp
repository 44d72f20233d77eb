#include "model/shares.h"

#include <algorithm>

#include "core/parallel.h"

namespace agro {

Share whole(const Offsets& offsets) { return {0, static_cast<int64_t>(offsets.size()) - 1, 0, offsets.back()}; }

void cut(const PackedSequences& batch, const Share& part, int64_t count, std::vector<Share>& shares) {
  const auto row = [&](int64_t s) { return batch.offsets[static_cast<size_t>(s)]; };
  // The first sequence that the s-th of the part or a later one continues: no cut may come between them.
  std::vector<int64_t> needed;
  if (!batch.prefixes.empty()) {
    needed.assign(static_cast<size_t>(part.end - part.begin), part.end);
    int64_t first = part.end;
    for (int64_t s = part.end - 1; s >= part.begin; --s) {
      if (const int64_t prefix = batch.prefixes[static_cast<size_t>(s)]; prefix >= 0) first = std::min(first, prefix);
      needed[static_cast<size_t>(s - part.begin)] = first;
    }
  }
  const auto joined = [&](int64_t s) { return !needed.empty() && needed[static_cast<size_t>(s - part.begin)] < s; };
  shares.clear();
  for (int64_t i = 1, begin = part.begin; i <= count && begin < part.end; ++i) {
    int64_t end = begin;
    while (end < part.end && (i == count || joined(end) || row(end) - part.first_row < part.rows * i / count)) ++end;
    if (end > begin) shares.push_back({begin, end, row(begin), row(end) - row(begin)});
    begin = end;
  }
}

namespace {

/// How many threads can take rows of their own. Each reads all weights: from a cache for nothing, from memory only if
/// enough rows use what was read.
int64_t shares_worth_their_weights(int64_t rows, int64_t weight_bytes) {
  constexpr int64_t kCached = 8 << 20, kFewRows = 2, kManyRows = 64;
  return rows / (weight_bytes <= kCached ? kFewRows : kManyRows);
}

}  // namespace

void divide_into_shares(const PackedSequences& batch, const Share& part, int64_t weight_bytes,
                        std::vector<Share>& shares) {
  constexpr int64_t kMostRows = 96;
  const int64_t threads = thread_count();
  const int64_t possible = std::min(part.end - part.begin, shares_worth_their_weights(part.rows, weight_bytes));
  const int64_t count =
      possible < threads ? 1 : std::min(possible, std::max(threads, part.rows / kMostRows / threads * threads));
  cut(batch, part, count, shares);
  // Operators divide their own work better than shares of which some thread gets none, or one far too large.
  int64_t longest = 0;
  for (const Share& share : shares) longest = std::max(longest, share.rows);
  if (10 * longest * threads > 13 * part.rows) shares.assign(1, part);
}

void divide_rows(const Share& part, int64_t weight_bytes, std::vector<Share>& shares) {
  const int64_t threads = thread_count();
  const int64_t count = shares_worth_their_weights(part.rows, weight_bytes) < threads ? 1 : threads;
  shares.clear();
  for (int64_t i = 0; i < count; ++i) {
    const int64_t begin = part.rows * i / count, end = part.rows * (i + 1) / count;
    shares.push_back({part.begin, part.end, part.first_row + begin, end - begin});
  }
}

}  // namespace agro
