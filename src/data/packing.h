#pragma once
// Micro-batches by token budget.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace agro {

/// Items begin … end − 1.
struct IndexRange {
  size_t begin = 0;
  size_t end = 0;
  bool operator==(const IndexRange&) const = default;
};

/// What a bin of sequences costs: the sum of their lengths (packed), or the longest times their number (padded).
enum class BinCost { kPacked, kPadded };

/// Cuts a list of sequences into consecutive ranges that cost at most `token_budget` each, greedily and in order.
/// Nothing is dropped: a sequence longer than the budget gets a range of its own. Throws Error where token_budget < 1
/// or a length is negative.
std::vector<IndexRange> pack_by_tokens(std::span<const int64_t> lengths, int64_t token_budget,
                                       BinCost cost = BinCost::kPacked);

}  // namespace agro
