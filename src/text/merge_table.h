#pragma once
// Hash table from an ordered pair of token ids to its merge; the innermost lookup of byte-pair encoding.
#include <bit>
#include <cstdint>
#include <vector>

namespace agro {

/// A lower rank merges earlier; `id` is the merged token.
struct Merge {
  uint32_t rank = 0;
  uint32_t id = 0;
};

/// Open addressing with linear probing, filled once and at most half full.
class MergeTable {
 public:
  explicit MergeTable(size_t merges = 0)
      : slots_(std::bit_ceil(2 * merges + 2)), shift_(64 - std::countr_zero(slots_.size())) {}

  /// The last merge set for a pair counts. At most as many pairs as announced.
  void set(uint32_t left, uint32_t right, Merge merge) {
    const uint64_t pair = key(left, right);
    Slot& slot = slots_[probe(pair)];
    slot = {pair, merge};
  }

  /// nullptr if the pair does not merge.
  const Merge* find(uint32_t left, uint32_t right) const {
    const Slot& slot = slots_[probe(key(left, right))];
    return slot.pair == kEmpty ? nullptr : &slot.merge;
  }

 private:
  static constexpr uint64_t kEmpty = ~uint64_t{0};
  struct Slot {
    uint64_t pair = kEmpty;
    Merge merge;
  };

  static uint64_t key(uint32_t left, uint32_t right) { return (uint64_t{left} << 32) | right; }

  /// Where `pair` is, or the free slot where it would go.
  size_t probe(uint64_t pair) const {
    size_t i = static_cast<size_t>((pair * 0x9E3779B97F4A7C15u) >> shift_);
    while (slots_[i].pair != kEmpty && slots_[i].pair != pair) i = (i + 1) & (slots_.size() - 1);
    return i;
  }

  std::vector<Slot> slots_;
  int shift_;
};

}  // namespace agro
