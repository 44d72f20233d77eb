#include "bench/ref/operators.h"

#include <cmath>
#include <limits>

namespace agro {
namespace {

double scale_of(const Tensor& q) { return 1.0 / std::sqrt(static_cast<double>(q.size(3))); }

}  // namespace

Tensor plain_rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  return x * (x.square().mean(-1, true) + eps).rsqrt() * weight;
}

Tensor plain_swiglu(const Tensor& gate, const Tensor& up) { return at::silu(gate) * up; }

Tensor causal_mask(int64_t length) {
  return torch::full({length, length}, -std::numeric_limits<float>::infinity()).triu(1);
}

Tensor plain_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask) {
  const int64_t b = q.size(0), h = q.size(1), t = q.size(2), d = q.size(3), kv = k.size(1), s = k.size(2), g = h / kv;
  const Tensor queries = q.reshape({b * kv, g * t, d});  // heads of one key head lie together
  const Tensor bias = mask.dim() == 2 ? mask.repeat({g, 1})
                                      : mask.view({b, 1, 1, t, s}).expand({b, kv, g, t, s}).reshape({b * kv, g * t, s});
  // Scale and mask ride along with the product.
  const Tensor scores = at::baddbmm(bias, queries, k.reshape({b * kv, s, d}).transpose(1, 2), 1, scale_of(q));
  return at::bmm(scores.softmax(-1), v.reshape({b * kv, s, d})).view({b, h, t, d});
}

Tensor plain_decode_attention(const Tensor& q, const Tensor& keys, const Tensor& values, int64_t length,
                              const Tensor& mask) {
  const int64_t b = q.size(0), h = q.size(1), d = q.size(3), kv = keys.size(1), g = h / kv;
  const Tensor k = keys.narrow(2, 0, length), v = values.narrow(2, 0, length);
  const auto masked = [&](Tensor scores) {  // [B, K, G, length]
    return mask.defined() ? scores.add_(mask.view({b, 1, 1, length})) : scores;
  };
  // LibTorch multiplies a batch of matrices one after another. Where each has one row and is small, that costs more
  // than the products element by element; several queries to a key, or many keys, are worth a matrix product.
  constexpr int64_t kSmall = 4096;
  if (g == 1 && length * d <= kSmall) {
    const Tensor weights = masked(((q * scale_of(q)) * k).sum(-1).view({b, kv, 1, length})).softmax(-1);
    return (weights.view({b, kv, length, 1}) * v).sum(2, true);
  }
  const Tensor queries = (q * scale_of(q)).view({b, kv, g, d});
  return at::matmul(masked(at::matmul(queries, k.transpose(2, 3))).softmax(-1), v).view({b, h, 1, d});
}

Tensor plain_rotary(const Tensor& x, const Tensor& cosine, const Tensor& sine) {
  const auto halves = x.chunk(2, -1);
  return torch::cat({halves[0] * cosine - halves[1] * sine, halves[1] * cosine + halves[0] * sine}, -1);
}

Tensor plain_token_logprobs(const Tensor& hidden, const Tensor& weight, const Tensor& targets) {
  return at::linear(hidden, weight).to(torch::kFloat).log_softmax(-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1);
}

}  // namespace agro
