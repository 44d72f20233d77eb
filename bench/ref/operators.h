#pragma once
// The operators of a Llama as one writes them with LibTorch alone, on batched tensors: what agro's own are measured
// against. Written for speed within those means (in-place where nothing is differentiated, one product per projection).
#include "tensor/torch_compat.h"

namespace agro {

/// x / sqrt(mean(x²) + eps) · weight over the last dimension.
Tensor plain_rms_norm(const Tensor& x, const Tensor& weight, double eps);

/// silu(gate) · up.
Tensor plain_swiglu(const Tensor& gate, const Tensor& up);

/// q, k, v [B, H, T, D] → [B, H, T, D], causal. `mask` [T, T]: 0 on and below the diagonal, −∞ above.
Tensor plain_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask);
Tensor causal_mask(int64_t length);

/// One query per sequence, q [B, H, 1, D], over the first `length` rows of the caches [B, H, capacity, D].
Tensor plain_decode_attention(const Tensor& q, const Tensor& keys, const Tensor& values, int64_t length);

/// x [B, H, T, D] with cosine, sine [T, D/2]; pairs are (i, i + D/2).
Tensor plain_rotary(const Tensor& x, const Tensor& cosine, const Tensor& sine);

/// log softmax(hidden · weightᵀ)[target] of each row of hidden [N, C].
Tensor plain_token_logprobs(const Tensor& hidden, const Tensor& weight, const Tensor& targets);

}  // namespace agro
