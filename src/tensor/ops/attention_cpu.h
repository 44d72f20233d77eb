#pragma once
// Causal attention with grouped key/value heads over packed sequences or a key/value cache, float32.
// A query row's result depends only on its query and the keys before it, in order: decoding one token and computing the
// whole sequence at once give the same bits.
#include <cstdint>
#include <span>

namespace agro {

struct AttentionShape {
  int64_t heads = 0;     // H query heads
  int64_t kv_heads = 0;  // K key/value heads, K divides H
  int64_t head_dim = 0;  // D
  float scale = 1.0F;    // applied to q·k
};

/// Consecutive query rows of one sequence, and the keys and values they see: row i of the span sees the first
/// first_length + i rows of `keys`, `values` (each row K·D floats).
struct AttentionSpan {
  int64_t first_row = 0;
  int64_t rows = 0;
  const float* keys = nullptr;
  const float* values = nullptr;
  int64_t first_length = 1;
};

/// q, out: [N, H·D]. log_sum_exp [N, H] is kept for the backward pass (may be null).
void attention_forward(const AttentionShape& shape, std::span<const AttentionSpan> spans, const float* q, float* out,
                       float* log_sum_exp);

/// For packed sequences: span s covers rows first_row … of q, k, v alike (first_length = 1).
/// Overwrites dq [N, H·D], dk and dv [N, K·D].
void attention_backward(const AttentionShape& shape, std::span<const AttentionSpan> spans, const float* dout,
                        const float* q, const float* out, const float* log_sum_exp, float* dq, float* dk, float* dv);

/// Rotary position embedding in place: x [N, heads·D], positions [N], table [P, D] holding cos (D/2) then sin (D/2) of
/// each position. Pairs are (i, i + D/2), as HuggingFace's rotate_half has them. `inverse` rotates back (the backward
/// pass).
void rotary_embedding(int64_t n, int64_t heads, int64_t head_dim, const int64_t* positions, const float* table,
                      float* x, bool inverse);

}  // namespace agro
