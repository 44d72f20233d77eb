// Which keys each row of a span sees, as attention's forward and backward pass walk over them, compiled once per
// instruction set (Highway's per-target include guard).
#if defined(AGRO_TENSOR_OPS_ATTENTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef AGRO_TENSOR_OPS_ATTENTION_INL_H_
#undef AGRO_TENSOR_OPS_ATTENTION_INL_H_
#else
#define AGRO_TENSOR_OPS_ATTENTION_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "tensor/ops/attention_cpu.h"
#include "tensor/ops/row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace agro {
namespace HWY_NAMESPACE {

/// Positions of a sequence, or rows of a span: begin … end − 1.
struct Range {
  int64_t begin = 0, end = 0;
  int64_t size() const { return end - begin; }
};

HWY_INLINE Range intersection(Range a, Range b) { return {std::max(a.begin, b.begin), std::min(a.end, b.end)}; }

/// Keys and values at consecutive positions of a sequence, one head of them, and where their gradients go.
struct KeyPart {
  Range positions;
  const float* keys = nullptr;
  const float* values = nullptr;
  // The backward pass: the same by columns, tile after tile [D][kTile].
  const float* key_columns = nullptr;
  const float* value_columns = nullptr;
  float* dkeys = nullptr;
  float* dvalues = nullptr;
  int64_t gradient_stride = 0;
};

/// One head of one row: its place among the N·H queries, and the positions it sees.
struct Query {
  int64_t at;
  Range seen;
};

/// A span as one key/value head sees it.
struct HeadOfSpan {
  const AttentionShape& shape;
  const AttentionSpan& span;
  int64_t kv_head, stride;
  std::array<KeyPart, 2> parts;  // the prefix, then the span's own keys

  HeadOfSpan(const AttentionShape& shape_in, std::span<const AttentionSpan> spans, size_t which, int64_t head)
      : shape(shape_in), span(spans[which]), kv_head(head), stride(shape.kv_heads * shape.head_dim) {
    const int64_t column = kv_head * shape.head_dim;
    if (span.prefix >= 0) {
      const AttentionSpan& prefix = spans[static_cast<size_t>(span.prefix)];
      parts[0].positions.end = prefix.first_length - 1 + prefix.rows;
      parts[0].keys = prefix.keys + column;
      parts[0].values = prefix.values + column;
    }
    const int64_t first = parts[0].positions.end;
    parts[1].positions = {first, first + span.first_length - 1 + span.rows};
    parts[1].keys = span.keys + column;
    parts[1].values = span.values + column;
  }

  int64_t queries_per_row() const { return shape.heads / shape.kv_heads; }
  /// Rows that work on a tile of keys together: few enough that their queries stay in the first-level cache with it.
  int64_t rows_per_block() const { return std::max<int64_t>(1, 16 / queries_per_row()); }

  Range seen(int64_t row) const {
    const int64_t end = parts[1].positions.begin + span.first_length + row;
    return {shape.window > 0 ? std::max<int64_t>(0, end - shape.window) : 0, end};
  }
  Range seen_by_any(Range rows) const { return {seen(rows.begin).begin, seen(rows.end - 1).end}; }
  /// Those of `rows` that see a position.
  Range rows_seeing(int64_t position, Range rows) const {
    const int64_t first = position + 1 - parts[1].positions.begin - span.first_length;
    return {std::max(rows.begin, first), shape.window > 0 ? std::min(rows.end, first + shape.window) : rows.end};
  }

  /// The queries of some rows, row after row.
  void queries_of(Range rows, std::vector<Query>& queries) const {
    const int64_t group = queries_per_row();
    queries.clear();
    for (int64_t row = rows.begin; row < rows.end; ++row)
      for (int64_t h = 0; h < group; ++h)
        queries.push_back({(span.first_row + row) * shape.heads + kv_head * group + h, seen(row)});
  }

  /// Calls f(part, tile) for runs of positions, ascending; a part is cut at every kTile-th of its positions.
  static constexpr int64_t kTile = 32;
  template <class F>
  void for_tiles(Range range, F&& f) const {
    for (const KeyPart& part : parts) {
      const Range here = intersection(range, part.positions);
      for (int64_t j = here.begin; j < here.end;) {
        const int64_t end = part.positions.begin + ((j - part.positions.begin) / kTile + 1) * kTile;
        f(part, Range{j, std::min(end, here.end)});
        j = end;
      }
    }
  }
};

/// out of each query += Σ weight · row over the positions of `tile` that it sees, ascending. `rows` begins at the tile,
/// as does the row of weights of each query, weight_stride apart. Queries go in pairs, whose sums run side by side.
template <class OutOf>
HWY_INLINE void add_seen_rows(std::span<const Query> queries, Range tile, const float* weights, int64_t weight_stride,
                              const float* rows, int64_t stride, int64_t n, OutOf&& out_of) {
  const auto sum = [&](size_t index, int64_t from) {
    const int64_t skipped = from - tile.begin;
    return WeightedSum{weights + static_cast<int64_t>(index) * weight_stride + skipped, 1, rows + skipped * stride,
                       out_of(index)};
  };
  const auto add_alone = [&](size_t index, Range range) {
    if (range.size() <= 0) return;
    const WeightedSum alone = sum(index, range.begin);
    add_weighted<1>(&alone, range.size(), stride, n);
  };
  size_t index = 0;
  for (; index + 1 < queries.size(); index += 2) {
    const Range a = intersection(queries[index].seen, tile), b = intersection(queries[index + 1].seen, tile);
    const Range both = intersection(a, b);
    if (both.size() <= 0) {
      add_alone(index, a);
      add_alone(index + 1, b);
      continue;
    }
    // What the second does not see has left its window; what the first does not see is the second's own key.
    const WeightedSum pair[] = {sum(index, both.begin), sum(index + 1, both.begin)};
    add_alone(index, {a.begin, both.begin});
    add_weighted<2>(pair, both.size(), stride, n);
    add_alone(index + 1, {both.end, b.end});
  }
  if (index < queries.size()) add_alone(index, intersection(queries[index].seen, tile));
}

}  // namespace HWY_NAMESPACE
}  // namespace agro
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
