#include "tensor/ops/attention_cpu.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "core/parallel.h"
#include "tensor/ops/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/ops/attention_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "hwy/contrib/math/math-inl.h"
#include "tensor/ops/attention-inl.h"

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

// What the blocks of one task use over and over.
struct Scratch {
  std::vector<Query> queries;
  std::vector<float> scores, sums;
};

void forward_block(const HeadOfSpan& head, Range rows, const float* q, float* out, float* log_sum_exp,
                   Scratch& scratch) {
  const int64_t d = head.shape.head_dim, stride = head.stride;
  const Range all = head.seen_by_any(rows);
  head.queries_of(rows, scratch.queries);
  const std::span<const Query> queries = scratch.queries;
  scratch.scores.resize(std::max(scratch.scores.size(), queries.size() * static_cast<size_t>(all.size())));
  scratch.sums.resize(queries.size());
  const auto score = [&](size_t index, int64_t position) {
    return scratch.scores.data() + static_cast<int64_t>(index) * all.size() + position - all.begin;
  };
  head.for_tiles(all, [&](const KeyPart& part, Range tile) {
    for (size_t i = 0; i < queries.size(); ++i) {
      const Range here = intersection(queries[i].seen, tile);
      if (here.size() > 0)
        scaled_dots(q + queries[i].at * d, part.keys + (here.begin - part.positions.begin) * stride, stride,
                    here.size(), d, head.shape.scale, score(i, here.begin));
    }
  });
  for (size_t i = 0; i < queries.size(); ++i) {
    const Softmax s = exponentiate(score(i, queries[i].seen.begin), queries[i].seen.size());
    scratch.sums[i] = s.sum;
    if (log_sum_exp != nullptr) log_sum_exp[queries[i].at] = s.max + std::log(s.sum);
    std::fill_n(out + queries[i].at * d, d, 0.0F);
  }
  head.for_tiles(all, [&](const KeyPart& part, Range tile) {
    add_seen_rows(queries, tile, score(0, tile.begin), all.size(),
                  part.values + (tile.begin - part.positions.begin) * stride, stride, d,
                  [&](size_t i) { return out + queries[i].at * d; });
  });
  for (size_t i = 0; i < queries.size(); ++i) scale_row(out + queries[i].at * d, 1.0F / scratch.sums[i], d);
}

void forward_simd(const AttentionShape& shape, std::span<const AttentionSpan> spans, const float* q, float* out,
                  float* log_sum_exp) {
  struct Task {
    size_t span;
    Range rows;
    int64_t kv_head;
  };
  constexpr int64_t kRows = 32;
  std::vector<Task> tasks;
  for (size_t s = 0; s < spans.size(); ++s)
    for (int64_t begin = 0; begin < spans[s].rows; begin += kRows)
      for (int64_t head = 0; head < shape.kv_heads; ++head)
        tasks.push_back({s, {begin, std::min(spans[s].rows, begin + kRows)}, head});
  parallel_for(static_cast<int64_t>(tasks.size()), [&](int64_t t) {
    const Task& task = tasks[static_cast<size_t>(t)];
    const HeadOfSpan head(shape, spans, task.span, task.kv_head);
    Scratch scratch;
    const int64_t step = head.rows_per_block();
    for (int64_t row = task.rows.begin; row < task.rows.end; row += step)
      forward_block(head, {row, std::min(task.rows.end, row + step)}, q, out, log_sum_exp, scratch);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace agro
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace agro {
namespace {
HWY_EXPORT(forward_simd);
}  // namespace

void attention_forward(const AttentionShape& shape, std::span<const AttentionSpan> spans, const float* q, float* out,
                       float* log_sum_exp) {
  HWY_DYNAMIC_DISPATCH(forward_simd)(shape, spans, q, out, log_sum_exp);
}

}  // namespace agro
#endif  // HWY_ONCE
