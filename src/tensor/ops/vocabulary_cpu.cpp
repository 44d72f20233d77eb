#include "tensor/ops/vocabulary_cpu.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "tensor/ops/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/ops/vocabulary_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "hwy/contrib/math/math-inl.h"
#include "tensor/ops/row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace agro {
namespace HWY_NAMESPACE {

HWY_INLINE float block_max(const float* x, int64_t n) {
  const int64_t lanes = row_lanes();
  float max = x[0];
  int64_t i = 0;
  if (n >= lanes) {
    RowVec m = hn::LoadU(kRow, x);
    for (i = lanes; i + lanes <= n; i += lanes) m = hn::Max(m, hn::LoadU(kRow, x + i));
    max = hn::GetLane(hn::MaxOfLanes(kRow, m));
  }
  for (; i < n; ++i) max = std::max(max, x[i]);
  return max;
}

void log_sum_exp_update_simd(int64_t rows, int64_t columns, const float* logits, int64_t stride, float temperature,
                             LogSumExp* state) {
  const float scale = 1.0F / temperature;
  parallel_for((rows + 7) / 8, [&](int64_t task) {
    for (int64_t row = task * 8; row < std::min(rows, task * 8 + 8); ++row) {
      const float* x = logits + row * stride;
      const float max = std::max(state[row].max, block_max(x, columns) * scale);
      const RowVec m = hn::Set(kRow, max), s = hn::Set(kRow, scale);
      RowVec sum = hn::Zero(kRow);
      for_vectors(columns, [&](int64_t i, int64_t left) {
        const auto mask = hn::FirstN(kRow, static_cast<size_t>(std::min(left, row_lanes())));
        sum = hn::Add(sum, hn::IfThenElseZero(mask, hn::Exp(kRow, hn::MulSub(load(x + i, left), s, m))));
      });
      state[row].sum = state[row].sum * std::exp(state[row].max - max) + sum_lanes(sum);
      state[row].max = max;
    }
  });
}

void token_logprob_gradient_simd(int64_t rows, int64_t columns, int64_t first, float* logits, int64_t stride,
                                 float temperature, const float* log_sum_exp, const int64_t* target,
                                 const float* grad) {
  const float scale = 1.0F / temperature;
  parallel_for((rows + 7) / 8, [&](int64_t task) {
    for (int64_t row = task * 8; row < std::min(rows, task * 8 + 8); ++row) {
      float* x = logits + row * stride;
      const RowVec lse = hn::Set(kRow, log_sum_exp[row]), s = hn::Set(kRow, scale),
                   g = hn::Set(kRow, -grad[row] * scale);
      for_vectors(columns, [&](int64_t i, int64_t left) {
        store(hn::Mul(g, hn::Exp(kRow, hn::MulSub(load(x + i, left), s, lse))), x + i, left);
      });
      const int64_t hit = target[row] - first;
      if (hit >= 0 && hit < columns) x[hit] += grad[row] * scale;
    }
  });
}

void probabilities_simd(int64_t n, const float* logits, float log_sum_exp, float* out) {
  const RowVec lse = hn::Set(kRow, log_sum_exp);
  for_vectors(
      n, [&](int64_t i, int64_t left) { store(hn::Exp(kRow, hn::Sub(load(logits + i, left), lse)), out + i, left); });
}

}  // namespace HWY_NAMESPACE
}  // namespace agro
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace agro {
namespace {
HWY_EXPORT(log_sum_exp_update_simd);
HWY_EXPORT(token_logprob_gradient_simd);
HWY_EXPORT(probabilities_simd);
}  // namespace

void log_sum_exp_update(int64_t rows, int64_t columns, const float* logits, int64_t stride, float temperature,
                        LogSumExp* state) {
  HWY_DYNAMIC_DISPATCH(log_sum_exp_update_simd)(rows, columns, logits, stride, temperature, state);
}
void token_logprob_gradient(int64_t rows, int64_t columns, int64_t first, float* logits, int64_t stride,
                            float temperature, const float* log_sum_exp, const int64_t* target, const float* grad) {
  HWY_DYNAMIC_DISPATCH(token_logprob_gradient_simd)
  (rows, columns, first, logits, stride, temperature, log_sum_exp, target, grad);
}
void probabilities(int64_t n, const float* logits, float log_sum_exp, float* out) {
  HWY_DYNAMIC_DISPATCH(probabilities_simd)(n, logits, log_sum_exp, out);
}

}  // namespace agro
#endif  // HWY_ONCE
