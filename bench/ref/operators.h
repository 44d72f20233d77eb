#pragma once
// The operators of a decoder as one writes them with LibTorch alone, on batched tensors: what agro's own are measured
// against. Written for speed within those means (in-place where nothing is differentiated, one product per projection,
// one product for all query heads that share a key head).
#include "tensor/torch_compat.h"

namespace agro {

/// x / sqrt(mean(x²) + eps) · weight over the last dimension.
Tensor plain_rms_norm(const Tensor& x, const Tensor& weight, double eps);

/// silu(gate) · up.
Tensor plain_swiglu(const Tensor& gate, const Tensor& up);

/// 0 on and below the diagonal of [length, length], −∞ above.
Tensor causal_mask(int64_t length);

/// q [B, H, T, D], k and v [B, K, S, D] with K a divisor of H → [B, H, T, D]. `mask` is added to the scores, [T, S] or
/// [B, T, S].
Tensor plain_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask);

/// One query per sequence, q [B, H, 1, D], over the first `length` rows of the caches [B, K, capacity, D]. `mask`
/// [B, 1, length], or undefined: all of them.
Tensor plain_decode_attention(const Tensor& q, const Tensor& keys, const Tensor& values, int64_t length,
                              const Tensor& mask = {});

/// x [B, H, T, D] with cosine, sine [T, D/2] or [B, 1, T, D/2]; pairs are (i, i + D/2).
Tensor plain_rotary(const Tensor& x, const Tensor& cosine, const Tensor& sine);

/// log softmax(hidden · weightᵀ)[target] of each row of hidden [.., C], float32 whatever the type of the two.
Tensor plain_token_logprobs(const Tensor& hidden, const Tensor& weight, const Tensor& targets);

}  // namespace agro
