#include "tensor/ops/attention_cpu.h"

#include <hwy/cache_control.h>

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
  const float max = row_max(score, n);
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

// Weighted sums that run side by side, and fit into the registers with four vectors of each.
#if HWY_TARGET <= HWY_AVX3
constexpr int kSumsAtOnce = 4;
#else
constexpr int kSumsAtOnce = 2;
#endif

// A span of one row, as each sequence is while it is sampled: all queries of some key/value heads see the same
// positions, and their sums run side by side. The same numbers in the same order as forward_block() has them.
void forward_row(const AttentionShape& shape, std::span<const AttentionSpan> spans, size_t which, Range kv_heads,
                 const float* q, float* out, float* log_sum_exp, Scratch& scratch) {
  constexpr int64_t kTile = 16, kFloatsOfLine = 16;
  const int64_t d = shape.head_dim, group = shape.heads / shape.kv_heads;
  const HeadOfSpan first(shape, spans, which, kv_heads.begin);
  const Range seen = first.seen(0);
  const int64_t at = spans[which].first_row * shape.heads + kv_heads.begin * group, queries = kv_heads.size() * group;
  scratch.scores.resize(std::max(scratch.scores.size(), static_cast<size_t>(queries * seen.size())));
  scratch.sums.resize(static_cast<size_t>(queries));
  const auto score = [&](int64_t query) { return scratch.scores.data() + query * seen.size(); };
  // Calls f(rows, tile) for a few of the seen positions at a time, counted from the first: all heads of a position lie
  // together, and the next tile is fetched meanwhile.
  const auto for_tiles = [&](auto&& rows_of, auto&& f) {
    for (const KeyPart& part : first.parts) {
      const Range here = intersection(seen, part.positions);
      for (int64_t begin = here.begin; begin < here.end; begin += kTile) {
        const int64_t end = std::min(begin + kTile, here.end), next = std::min(end + kTile, here.end);
        const float* rows = rows_of(part) + (begin - part.positions.begin) * first.stride;
        for (int64_t j = end; j < next; ++j)
          for (int64_t i = 0; i < kv_heads.size() * d; i += kFloatsOfLine)
            hwy::Prefetch(rows + (j - begin) * first.stride + i);
        f(rows, Range{begin - seen.begin, end - seen.begin});
      }
    }
  };
  for_tiles([](const KeyPart& part) { return part.keys; },
            [&](const float* keys, Range tile) {
              for (int64_t i = 0; i < queries; ++i)
                scaled_dots(q + (at + i) * d, keys + i / group * d, first.stride, tile.size(), d, shape.scale,
                            score(i) + tile.begin);
            });
  for (int64_t i = 0; i < queries; ++i) {
    const Softmax s = exponentiate(score(i), seen.size());
    scratch.sums[static_cast<size_t>(i)] = s.sum;
    if (log_sum_exp != nullptr) log_sum_exp[at + i] = s.max + std::log(s.sum);
  }
  std::fill_n(out + at * d, queries * d, 0.0F);
  for_tiles([](const KeyPart& part) { return part.values; },
            [&](const float* values, Range tile) {
              const auto sum = [&](int64_t i) {
                return WeightedSum{score(i) + tile.begin, 1, values + i / group * d, out + (at + i) * d};
              };
              int64_t i = 0;
              for (; i + kSumsAtOnce <= queries; i += kSumsAtOnce) {
                WeightedSum sums[kSumsAtOnce];
                for (int64_t k = 0; k < kSumsAtOnce; ++k) sums[k] = sum(i + k);
                add_weighted<kSumsAtOnce>(sums, tile.size(), first.stride, d);
              }
              for (; i < queries; ++i) {
                const WeightedSum alone = sum(i);
                add_weighted<1>(&alone, tile.size(), first.stride, d);
              }
            });
  for (int64_t i = 0; i < queries; ++i) scale_row(out + (at + i) * d, 1.0F / scratch.sums[static_cast<size_t>(i)], d);
}

void forward_simd(const AttentionShape& shape, std::span<const AttentionSpan> spans, const float* q, float* out,
                  float* log_sum_exp) {
  struct Task {
    size_t span;
    Range rows;
    Range kv_heads;
  };
  thread_local std::vector<Task> kept;  // sampling comes here for every layer of every token
  std::vector<Task>& tasks = kept;
  tasks.clear();
  constexpr int64_t kRows = 32;
  // Heads of a single row go together where there are sequences enough for all threads.
  const int64_t together = static_cast<int64_t>(spans.size()) >= 4 * thread_count() ? shape.kv_heads : 1;
  for (size_t s = 0; s < spans.size(); ++s)
    for (int64_t begin = 0; begin < spans[s].rows; begin += kRows) {
      const int64_t step = spans[s].rows == 1 ? together : 1;
      for (int64_t head = 0; head < shape.kv_heads; head += step)
        tasks.push_back({s, {begin, std::min(spans[s].rows, begin + kRows)}, {head, head + step}});
    }
  parallel_for(static_cast<int64_t>(tasks.size()), [&](int64_t t) {
    const Task& task = tasks[static_cast<size_t>(t)];
    thread_local Scratch scratch;
    if (spans[task.span].rows == 1) {
      forward_row(shape, spans, task.span, task.kv_heads, q, out, log_sum_exp, scratch);
      return;
    }
    const HeadOfSpan head(shape, spans, task.span, task.kv_heads.begin);
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
