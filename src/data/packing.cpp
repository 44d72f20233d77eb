#include "data/packing.h"

#include <algorithm>

#include "core/error.h"

namespace agro {

std::vector<IndexRange> pack_by_tokens(std::span<const int64_t> lengths, int64_t token_budget, BinCost cost) {
  if (token_budget < 1) throw fail("the token budget of a micro-batch must be at least 1, found {}", token_budget);
  std::vector<IndexRange> bins;
  int64_t sum = 0;
  int64_t longest = 0;
  for (size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] < 0) throw fail("sequence {} has length {}", i, lengths[i]);
    sum += lengths[i];
    longest = std::max(longest, lengths[i]);
    const auto rows = bins.empty() ? int64_t{1} : static_cast<int64_t>(i + 1 - bins.back().begin);
    if (bins.empty() || (cost == BinCost::kPacked ? sum : longest * rows) > token_budget) {
      bins.push_back({i, i});
      sum = longest = lengths[i];
    }
    bins.back().end = i + 1;
  }
  return bins;
}

}  // namespace agro
