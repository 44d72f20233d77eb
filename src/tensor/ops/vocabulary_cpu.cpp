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

/// Σ term(i, elements left) over the vectors of [0, n): short sums, added up in double.
template <class F>
HWY_INLINE double long_sum(int64_t n, F&& term) {
  constexpr int64_t kShort = 256;
  double total = 0;
  for (int64_t first = 0; first < n; first += kShort) {
    RowVec sum = hn::Zero(kRow);
    for_vectors(std::min(kShort, n - first), [&](int64_t i, int64_t left) {
      const auto mask = hn::FirstN(kRow, static_cast<size_t>(std::min(left, row_lanes())));
      sum = hn::Add(sum, hn::IfThenElseZero(mask, term(first + i, left)));
    });
    total += static_cast<double>(sum_lanes(sum));
  }
  return total;
}

HWY_INLINE void add_to(LogSumExp& state, const float* x, int64_t n, float scale) {
  const float max = std::max(state.max, row_max(x, n) * scale);
  const RowVec m = hn::Set(kRow, max), s = hn::Set(kRow, scale);
  const double sum =
      long_sum(n, [&](int64_t i, int64_t left) { return hn::Exp(kRow, hn::MulSub(load(x + i, left), s, m)); });
  state.sum = state.sum * std::exp(state.max - max) + static_cast<float>(sum);
  state.max = max;
}

HWY_INLINE float log_sum_exp_of(const float* x, int64_t n) {
  LogSumExp state = kEmptyLogSumExp;
  for (int64_t i = 0; i < n; i += kVocabularyBlock) add_to(state, x + i, std::min(kVocabularyBlock, n - i), 1.0F);
  return state.value();
}

template <class F>
void for_rows(int64_t rows, F&& f) {
  constexpr int64_t kRowsPerTask = 8;
  parallel_for((rows + kRowsPerTask - 1) / kRowsPerTask, [&](int64_t task) {
    for (int64_t row = task * kRowsPerTask; row < std::min(rows, (task + 1) * kRowsPerTask); ++row) f(row);
  });
}

void log_sum_exp_update_simd(int64_t rows, int64_t columns, const float* logits, int64_t stride, float temperature,
                             LogSumExp* state) {
  for_rows(rows, [&](int64_t row) { add_to(state[row], logits + row * stride, columns, 1.0F / temperature); });
}

void token_logprob_gradient_simd(int64_t rows, int64_t columns, int64_t first, float* logits, int64_t stride,
                                 float temperature, const float* log_sum_exp, const int64_t* target,
                                 const float* grad) {
  const float scale = 1.0F / temperature;
  for_rows(rows, [&](int64_t row) {
    float* x = logits + row * stride;
    const RowVec lse = hn::Set(kRow, log_sum_exp[row]), s = hn::Set(kRow, scale), g = hn::Set(kRow, -grad[row] * scale);
    for_vectors(columns, [&](int64_t i, int64_t left) {
      store(hn::Mul(g, hn::Exp(kRow, hn::MulSub(load(x + i, left), s, lse))), x + i, left);
    });
    const int64_t hit = target[row] - first;
    if (hit >= 0 && hit < columns) x[hit] += grad[row] * scale;
  });
}

void kl_divergence_simd(int64_t rows, int64_t n, const float* logits, const float* ref_logits, float* kl) {
  for_rows(rows, [&](int64_t row) {
    const float *x = logits + row * n, *y = ref_logits + row * n;
    const RowVec lse = hn::Set(kRow, log_sum_exp_of(x, n)), ref_lse = hn::Set(kRow, log_sum_exp_of(y, n));
    kl[row] = static_cast<float>(long_sum(n, [&](int64_t i, int64_t left) {
      const RowVec logprob = hn::Sub(load(x + i, left), lse), ref_logprob = hn::Sub(load(y + i, left), ref_lse);
      return hn::Mul(hn::Exp(kRow, logprob), hn::Sub(logprob, ref_logprob));
    }));
  });
}

// d KL / d logit_v = p_v (log p_v/q_v − KL)
void kl_divergence_gradient_simd(int64_t rows, int64_t n, float* logits, const float* ref_logits, const float* kl,
                                 const float* grad) {
  for_rows(rows, [&](int64_t row) {
    float* x = logits + row * n;
    const float* y = ref_logits + row * n;
    const RowVec lse = hn::Set(kRow, log_sum_exp_of(x, n)), ref_lse = hn::Set(kRow, log_sum_exp_of(y, n));
    const RowVec mean = hn::Set(kRow, kl[row]), g = hn::Set(kRow, grad[row]);
    for_vectors(n, [&](int64_t i, int64_t left) {
      const RowVec logprob = hn::Sub(load(x + i, left), lse), ref_logprob = hn::Sub(load(y + i, left), ref_lse);
      const RowVec slope = hn::Sub(hn::Sub(logprob, ref_logprob), mean);
      store(hn::Mul(g, hn::Mul(hn::Exp(kRow, logprob), slope)), x + i, left);
    });
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
HWY_EXPORT(kl_divergence_simd);
HWY_EXPORT(kl_divergence_gradient_simd);
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
void kl_divergence(int64_t rows, int64_t n, const float* logits, const float* ref_logits, float* kl) {
  HWY_DYNAMIC_DISPATCH(kl_divergence_simd)(rows, n, logits, ref_logits, kl);
}
void kl_divergence_gradient(int64_t rows, int64_t n, float* logits, const float* ref_logits, const float* kl,
                            const float* grad) {
  HWY_DYNAMIC_DISPATCH(kl_divergence_gradient_simd)(rows, n, logits, ref_logits, kl, grad);
}
void probabilities(int64_t n, const float* logits, float log_sum_exp, float* out) {
  HWY_DYNAMIC_DISPATCH(probabilities_simd)(n, logits, log_sum_exp, out);
}

}  // namespace agro
#endif  // HWY_ONCE
