#include "tensor/ops/attention_cpu.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel.h"
#include "tensor/ops/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/ops/attention_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "hwy/contrib/math/math-inl.h"
#include "tensor/ops/row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace agro {
namespace HWY_NAMESPACE {

struct Softmax {
  float max, sum;
};

// score[j] = exp(score[j] − max); returns max and Σ.
HWY_INLINE Softmax exponentiate(float* score, int64_t n) {
  float max = score[0];
  for (int64_t j = 1; j < n; ++j) max = std::max(max, score[j]);
  const RowVec m = hn::Set(kRow, max);
  RowVec sum = hn::Zero(kRow);
  for_vectors(n, [&](int64_t j, int64_t left) {
    const auto mask = hn::FirstN(kRow, static_cast<size_t>(std::min(left, row_lanes())));
    const RowVec e = hn::IfThenElseZero(mask, hn::Exp(kRow, hn::Sub(load(score + j, left), m)));
    store(e, score + j, left);
    sum = hn::Add(sum, e);
  });
  return {max, sum_lanes(sum)};
}

HWY_INLINE void scale_row(float* row, float factor, int64_t n) {
  const RowVec f = hn::Set(kRow, factor);
  for_vectors(n, [&](int64_t i, int64_t left) { store(hn::Mul(load(row + i, left), f), row + i, left); });
}

struct Task {
  const AttentionSpan* span;
  int64_t begin, end;  // rows within the span
  int64_t kv_head;
};

std::vector<Task> split(const AttentionShape& shape, std::span<const AttentionSpan> spans, int64_t rows_per_task) {
  std::vector<Task> tasks;
  for (const AttentionSpan& span : spans)
    for (int64_t begin = 0; begin < span.rows; begin += rows_per_task)
      for (int64_t head = 0; head < shape.kv_heads; ++head)
        tasks.push_back({&span, begin, std::min(span.rows, begin + rows_per_task), head});
  return tasks;
}

void forward_simd(const AttentionShape& shape, std::span<const AttentionSpan> spans, const float* q, float* out,
                  float* log_sum_exp) {
  const int64_t d = shape.head_dim, stride = shape.kv_heads * d, group = shape.heads / shape.kv_heads;
  const std::vector<Task> tasks = split(shape, spans, 32);
  parallel_for(static_cast<int64_t>(tasks.size()), [&](int64_t t) {
    const Task& task = tasks[static_cast<size_t>(t)];
    const float* keys = task.span->keys + task.kv_head * d;
    const float* values = task.span->values + task.kv_head * d;
    std::vector<float> score(static_cast<size_t>(task.span->first_length + task.end));
    for (int64_t i = task.begin; i < task.end; ++i) {
      const int64_t row = task.span->first_row + i, length = task.span->first_length + i;
      for (int64_t head = task.kv_head * group; head < (task.kv_head + 1) * group; ++head) {
        float* target = out + (row * shape.heads + head) * d;
        scaled_dots(q + (row * shape.heads + head) * d, keys, stride, length, d, shape.scale, score.data());
        const Softmax s = exponentiate(score.data(), length);
        weighted_sum(score.data(), length, values, stride, d, target, false);
        scale_row(target, 1.0F / s.sum, d);
        if (log_sum_exp != nullptr) log_sum_exp[row * shape.heads + head] = s.max + std::log(s.sum);
      }
    }
  });
}

void backward_simd(const AttentionShape& shape, std::span<const AttentionSpan> spans, const float* dout, const float* q,
                   const float* out, const float* log_sum_exp, float* dq, float* dk, float* dv) {
  const int64_t d = shape.head_dim, stride = shape.kv_heads * d, group = shape.heads / shape.kv_heads;
  std::vector<Task> tasks = split(shape, spans, INT64_MAX / 2);
  // Longest first, so that the last task to finish is a short one.
  std::stable_sort(tasks.begin(), tasks.end(),
                   [](const Task& a, const Task& b) { return a.span->rows > b.span->rows; });
  parallel_for(static_cast<int64_t>(tasks.size()), [&](int64_t t) {
    const Task& task = tasks[static_cast<size_t>(t)];
    const AttentionSpan& span = *task.span;
    const float* keys = span.keys + task.kv_head * d;
    const float* values = span.values + task.kv_head * d;
    float* dkeys = dk + span.first_row * stride + task.kv_head * d;
    float* dvalues = dv + span.first_row * stride + task.kv_head * d;
    for (int64_t j = 0; j < span.rows; ++j) {
      std::fill_n(dkeys + j * stride, d, 0.0F);
      std::fill_n(dvalues + j * stride, d, 0.0F);
    }
    std::vector<float> probability(static_cast<size_t>(span.rows)), slope(static_cast<size_t>(span.rows));
    for (int64_t i = 0; i < span.rows; ++i) {
      const int64_t row = span.first_row + i, length = i + 1;
      for (int64_t head = task.kv_head * group; head < (task.kv_head + 1) * group; ++head) {
        const int64_t at = (row * shape.heads + head) * d;
        scaled_dots(q + at, keys, stride, length, d, shape.scale, probability.data());
        scaled_dots(dout + at, values, stride, length, d, 1.0F, slope.data());
        const RowVec lse = hn::Set(kRow, log_sum_exp[row * shape.heads + head]);
        const RowVec delta = hn::Set(kRow, dot(dout + at, out + at, d));
        const RowVec scale = hn::Set(kRow, shape.scale);
        for_vectors(length, [&](int64_t j, int64_t left) {
          const RowVec p = hn::Exp(kRow, hn::Sub(load(probability.data() + j, left), lse));
          store(p, probability.data() + j, left);
          store(hn::Mul(hn::Mul(p, hn::Sub(load(slope.data() + j, left), delta)), scale), slope.data() + j, left);
        });
        weighted_sum(slope.data(), length, keys, stride, d, dq + at, false);
        for (int64_t j = 0; j < length; ++j) {
          axpy(slope[static_cast<size_t>(j)], q + at, dkeys + j * stride, d);
          axpy(probability[static_cast<size_t>(j)], dout + at, dvalues + j * stride, d);
        }
      }
    }
  });
}

void rotary_simd(int64_t n, int64_t heads, int64_t head_dim, const int64_t* positions, const float* table, float* x,
                 bool inverse) {
  const int64_t half = head_dim / 2;
  constexpr int64_t kRows = 32;
  parallel_for((n + kRows - 1) / kRows, [&](int64_t task) {
    for (int64_t row = task * kRows; row < std::min(n, (task + 1) * kRows); ++row) {
      const float* cosine = table + positions[row] * head_dim;
      const float* sine = cosine + half;
      for (int64_t head = 0; head < heads; ++head) {
        float* first = x + (row * heads + head) * head_dim;
        float* second = first + half;
        for_vectors(half, [&](int64_t i, int64_t left) {
          const RowVec c = load(cosine + i, left), s = inverse ? hn::Neg(load(sine + i, left)) : load(sine + i, left);
          const RowVec a = load(first + i, left), b = load(second + i, left);
          store(hn::NegMulAdd(b, s, hn::Mul(a, c)), first + i, left);
          store(hn::MulAdd(a, s, hn::Mul(b, c)), second + i, left);
        });
      }
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace agro
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace agro {
namespace {
HWY_EXPORT(forward_simd);
HWY_EXPORT(backward_simd);
HWY_EXPORT(rotary_simd);
}  // namespace

void attention_forward(const AttentionShape& shape, std::span<const AttentionSpan> spans, const float* q, float* out,
                       float* log_sum_exp) {
  HWY_DYNAMIC_DISPATCH(forward_simd)(shape, spans, q, out, log_sum_exp);
}
void attention_backward(const AttentionShape& shape, std::span<const AttentionSpan> spans, const float* dout,
                        const float* q, const float* out, const float* log_sum_exp, float* dq, float* dk, float* dv) {
  HWY_DYNAMIC_DISPATCH(backward_simd)(shape, spans, dout, q, out, log_sum_exp, dq, dk, dv);
}
void rotary_embedding(int64_t n, int64_t heads, int64_t head_dim, const int64_t* positions, const float* table,
                      float* x, bool inverse) {
  HWY_DYNAMIC_DISPATCH(rotary_simd)(n, heads, head_dim, positions, table, x, inverse);
}

}  // namespace agro
#endif  // HWY_ONCE
