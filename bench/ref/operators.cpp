#include "bench/ref/operators.h"

#include <cmath>
#include <limits>

namespace agro {

Tensor plain_rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  return x * (x.square().mean(-1, true) + eps).rsqrt() * weight;
}

Tensor plain_swiglu(const Tensor& gate, const Tensor& up) { return at::silu(gate) * up; }

Tensor causal_mask(int64_t length) {
  return torch::full({length, length}, -std::numeric_limits<float>::infinity()).triu(1);
}

Tensor plain_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(3)));
  const auto batched = [](const Tensor& x) { return x.reshape({-1, x.size(2), x.size(3)}); };
  // Scale and mask ride along with the product.
  const Tensor scores = at::baddbmm(mask, batched(q), batched(k).transpose(1, 2), 1, scale);
  return at::bmm(scores.softmax(-1), batched(v)).view_as(q);
}

Tensor plain_decode_attention(const Tensor& q, const Tensor& keys, const Tensor& values, int64_t length) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(3)));
  const Tensor k = keys.narrow(2, 0, length), v = values.narrow(2, 0, length);
  return at::matmul(at::matmul(q * scale, k.transpose(2, 3)).softmax(-1), v);
}

Tensor plain_rotary(const Tensor& x, const Tensor& cosine, const Tensor& sine) {
  const auto halves = x.chunk(2, -1);
  return torch::cat({halves[0] * cosine - halves[1] * sine, halves[1] * cosine + halves[0] * sine}, -1);
}

Tensor plain_token_logprobs(const Tensor& hidden, const Tensor& weight, const Tensor& targets) {
  return at::linear(hidden, weight).log_softmax(-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1);
}

}  // namespace agro
