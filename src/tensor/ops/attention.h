#pragma once
// Causal attention over packed sequences (training) and over a key/value cache (sampling), with rotary embedding.
#include "tensor/ops/attention_cpu.h"
#include "tensor/torch_compat.h"

namespace agro {

/// Sequence s occupies rows offsets[s] … offsets[s+1] − 1 of the packed tensors; offsets[0] = 0.
using Offsets = std::vector<int64_t>;

/// Which sequence each sequence s of a packed batch continues: prefixes[s] = p < s says that the rows of p come before
/// those of s, as a prompt's before those of each of its responses; −1: none, as p itself has none. Empty: all −1.
using Prefixes = std::vector<int64_t>;

/// Throws Error on a prefix that is none.
void check_prefixes(const Prefixes& prefixes, const Offsets& offsets);

/// Appends the spans of sequences begin … end − 1, whose prefixes are among them; rows and prefixes are counted from
/// the first of these sequences, whose first keys and values are `k` and `v`, each row `stride` floats.
void append_spans(const Offsets& offsets, const Prefixes& prefixes, int64_t begin, int64_t end, const float* k,
                  const float* v, int64_t stride, std::vector<AttentionSpan>& spans);

/// q [N, H·D], k and v [N, K·D] packed by `offsets` → [N, H·D]; each row attends to the prefix of its sequence and to
/// the sequence up to itself, as far back as shape.window allows. Differentiable; the gradient of a prefix is the sum
/// over the sequences that continue it, in their order. Throws Error on shape mismatch and on a prefix that is none.
Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionShape& shape, const Offsets& offsets,
                 const Prefixes& prefixes = {});
Tensor attention_ref(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionShape& shape,
                     const Offsets& offsets, const Prefixes& prefixes = {});

/// Where a sequence's new rows stand in the cache: slot, and how many keys the slot held before them.
struct CachePlace {
  int64_t slot = 0;
  int64_t past = 0;
};

/// Throws Error unless the rows of each sequence find room in a slot of `capacity` positions.
void check_room(const Offsets& offsets, const std::vector<CachePlace>& places, int64_t capacity);

/// Stores k, v [N, K·D] in the caches [slots, capacity, K·D] after each slot's `past` rows, then attends over the
/// slot's keys. Sequence s of `offsets` goes to places[s]. Not differentiable.
Tensor attention_cached(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionShape& shape,
                        const Offsets& offsets, const std::vector<CachePlace>& places, Tensor& key_cache,
                        Tensor& value_cache);

/// x [N, heads·D] rotated by position: table [P, D] float32 (cos, then sin, of each position), positions [N] int64.
Tensor rotary(const Tensor& x, const Tensor& positions, const Tensor& table, int64_t heads);
Tensor rotary_ref(const Tensor& x, const Tensor& positions, const Tensor& table, int64_t heads);

}  // namespace agro
