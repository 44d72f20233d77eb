#pragma once
// Batches for the tests of passes through the model.
#include "core/rng.h"
#include "model/causal_lm.h"

namespace agro {

/// Below 200; `which` tells sequences apart.
inline TokenIds random_ids(int64_t count, uint64_t which) {
  TokenIds ids;
  for (int64_t i = 0; i < count; ++i)
    ids.push_back(static_cast<TokenId>(uniform_below({23, Stream::kTest, which, 0, static_cast<uint32_t>(i)}, 200)));
  return ids;
}

/// Groups of a prompt with three continuations, longer than a block of attention's rows, and single sequences: 285
/// tokens, `times` over.
inline PackedBatch mixed_batch(uint64_t times = 1) {
  std::vector<TokenIds> sequences;
  Prefixes prefixes;
  for (uint64_t i = 0; i < 5 * times; ++i) {
    const uint64_t g = i % 5;
    const auto prompt = static_cast<int64_t>(sequences.size());
    sequences.push_back(random_ids(3 + static_cast<int64_t>(4 * g), 10 * i)), prefixes.push_back(-1);
    for (uint64_t c = 0; c < 3; ++c)
      sequences.push_back(random_ids(2 + static_cast<int64_t>(5 * c + g), 10 * i + c + 1)), prefixes.push_back(prompt);
    sequences.push_back(random_ids(1 + static_cast<int64_t>(9 * g), 10 * i + 5)), prefixes.push_back(-1);
  }
  return pack_sequences(sequences, {}, prefixes);
}

/// One prompt of 40 tokens and six continuations, 64 positions in all.
inline PackedBatch one_group() {
  std::vector<TokenIds> sequences{random_ids(40, 1)};
  Prefixes prefixes{-1};
  for (uint64_t c = 0; c < 6; ++c)
    sequences.push_back(random_ids(19 + static_cast<int64_t>(c), c + 2)), prefixes.push_back(0);
  return pack_sequences(sequences, {}, prefixes);
}

}  // namespace agro
