#pragma once
// Causal attention with grouped key/value heads over packed sequences or a key/value cache, float32.
// A query row's result depends only on its query and the keys before it, in order: decoding one token, computing the
// whole sequence at once and continuing a shared prompt give the same bits.
#include <cstdint>
#include <span>

namespace agro {

struct AttentionShape {
  int64_t heads = 0;     // H query heads
  int64_t kv_heads = 0;  // K key/value heads, K divides H
  int64_t head_dim = 0;  // D
  float scale = 1.0F;    // applied to q·k
  int64_t window = 0;    // how many of the newest keys a row sees, its own included; 0: all
};

/// Consecutive query rows of one sequence, and the keys and values they see: row i of the span sees the keys of the
/// span `prefix` (a prompt that several responses continue; none: −1), then the first first_length + i rows of `keys`
/// and `values`, each row K·D floats. A prefix has no prefix itself.
struct AttentionSpan {
  int64_t first_row = 0;
  int64_t rows = 0;
  const float* keys = nullptr;
  const float* values = nullptr;
  int64_t first_length = 1;
  int64_t prefix = -1;
};

/// q, out: [N, H·D]. log_sum_exp [N, H] is kept for the backward pass (may be null).
void attention_forward(const AttentionShape& shape, std::span<const AttentionSpan> spans, const float* q, float* out,
                       float* log_sum_exp);

/// For packed sequences: span s covers rows first_row … of q, k, v alike (first_length = 1). Overwrites dq [N, H·D]
/// (may be dout), dk and dv [N, K·D]; what reaches a prefix from the spans that continue it is added up in their order.
void attention_backward(const AttentionShape& shape, std::span<const AttentionSpan> spans, const float* dout,
                        const float* q, const float* log_sum_exp, float* dq, float* dk, float* dv);

/// Rotary position embedding: x and out (may be the same) [N, heads·D], positions [N], table [P, D] holding cos (D/2)
/// then sin (D/2) of each position. Pairs are (i, i + D/2), as HuggingFace's rotate_half has them. `inverse` rotates
/// back (the backward pass).
void rotary_embedding(int64_t n, int64_t heads, int64_t head_dim, const int64_t* positions, const float* table,
                      const float* x, float* out, bool inverse);

}  // namespace agro
