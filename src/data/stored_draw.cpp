#include "data/stored_draw.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "core/rng.h"
#include "data/random_order.h"

namespace agro {
namespace {

/// Moves elements of `order` that occur in `used` behind its first `head` others; used.size() + head ≤ order.size().
void defer(std::vector<size_t>& order, std::span<const size_t> used, size_t head) {
  size_t placed = 0;
  for (size_t i = 0; placed < head; ++i) {
    if (std::find(used.begin(), used.end(), order[i]) != used.end()) continue;
    std::rotate(order.begin() + static_cast<std::ptrdiff_t>(placed), order.begin() + static_cast<std::ptrdiff_t>(i),
                order.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    ++placed;
  }
}

}  // namespace

std::vector<size_t> draw_stored(uint64_t seed, uint64_t ordinal, uint64_t visit, size_t available, size_t take) {
  if (take >= available) {
    std::vector<size_t> all(available);
    std::iota(all.begin(), all.end(), size_t{0});
    return all;
  }
  if (take == 0) return {};
  // After lcm(available, take) draws a visit and an order end together; such blocks are independent of one another.
  const size_t divisor = std::gcd(available, take);
  const size_t visits_per_block = available / divisor;
  const size_t orders_per_block = take / divisor;
  const uint64_t block = visit / visits_per_block;
  const size_t begin = static_cast<size_t>(visit % visits_per_block) * take;

  std::vector<size_t> sequence;
  for (size_t i = 0; sequence.size() < begin + take; ++i) {
    const auto draw = static_cast<uint32_t>(block * orders_per_block + i);
    std::vector<size_t> order =
        random_order(available, {.seed = seed, .stream = Stream::kStoredOrder, .ordinal = ordinal, .draw = draw});
    // A visit that began in the last order ends in this one, and must not meet the same response again.
    const size_t begun = sequence.size() % take;
    if (begun > 0) defer(order, std::span(sequence).last(begun), take - begun);
    sequence.insert(sequence.end(), order.begin(), order.end());
  }
  const auto first = sequence.begin() + static_cast<std::ptrdiff_t>(begin);
  return {first, first + static_cast<std::ptrdiff_t>(take)};
}

}  // namespace agro
