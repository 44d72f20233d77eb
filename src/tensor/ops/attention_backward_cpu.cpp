#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <span>
#include <vector>

#include "core/parallel.h"
#include "tensor/ops/attention_cpu.h"
#include "tensor/ops/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/ops/attention_backward_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "hwy/contrib/math/math-inl.h"
#include "tensor/ops/attention-inl.h"

HWY_BEFORE_NAMESPACE();
namespace agro {
namespace HWY_NAMESPACE {

constexpr int64_t kTile = HeadOfSpan::kTile;
static_assert(kTile % hn::MaxLanes(RowTag()) == 0);

// `rows` of a head, tile after tile by columns: out [tile][D][kTile]. What is beyond the last row repeats it.
void by_columns(const float* rows, int64_t count, int64_t stride, int64_t d, std::vector<float>& out) {
  const hn::RebindToSigned<RowTag> index_tag;
  const int64_t tiles = (count + kTile - 1) / kTile, lanes = row_lanes();
  out.resize(static_cast<size_t>(tiles * d * kTile));
  for (int64_t j = 0; j < tiles * kTile; j += lanes) {
    HWY_ALIGN int32_t offset[hn::MaxLanes(RowTag())];
    for (int64_t i = 0; i < lanes; ++i)
      offset[i] = static_cast<int32_t>((std::min(j + i, count - 1) - std::min(j, count - 1)) * stride);
    const auto offsets = hn::Load(index_tag, offset);
    const float* first = rows + std::min(j, count - 1) * stride;
    float* to = out.data() + j / kTile * d * kTile + j % kTile;
    for (int64_t i = 0; i < d; ++i) hn::StoreU(hn::GatherIndex(kRow, first + i, offsets), kRow, to + i * kTile);
  }
}

// As many queries as keep the sums over a tile's positions in registers, where there are registers enough.
#if HWY_TARGET <= HWY_AVX3
constexpr int kQueriesAtOnce = 6;
#else
constexpr int kQueriesAtOnce = 2;
#endif

// out[q · out_stride + j] = Σ_i x[q][i] · columns[i][j] for kQueries rows of D numbers and the kTile positions of a
// tile.
template <int kQueries>
HWY_INLINE void tile_dots(const float* x, const float* HWY_RESTRICT columns, int64_t d, float* out,
                          int64_t out_stride) {
  constexpr int kVectors = static_cast<int>(kTile / std::min<int64_t>(kTile, hn::MaxLanes(RowTag())));
  const int64_t lanes = row_lanes();
  for (int64_t first = 0; first < kTile; first += kVectors * lanes) {
    RowVec sum[kQueries][kVectors];
    // Unrolled, so that the sums stay in registers.
    const auto each = [](auto&& f) {
      HWY_UNROLL(8)
      for (int q = 0; q < kQueries; ++q) {
        HWY_UNROLL(8)
        for (int v = 0; v < kVectors; ++v) f(q, v);
      }
    };
    each([&](int q, int v) { sum[q][v] = hn::Zero(kRow); });
    for (int64_t i = 0; i < d; ++i) {
      RowVec column[kVectors];
      HWY_UNROLL(8)
      for (int v = 0; v < kVectors; ++v) column[v] = hn::LoadU(kRow, columns + i * kTile + first + v * lanes);
      HWY_UNROLL(8)
      for (int q = 0; q < kQueries; ++q) {
        const RowVec factor = hn::Set(kRow, x[q * d + i]);
        HWY_UNROLL(8)
        for (int v = 0; v < kVectors; ++v) sum[q][v] = hn::MulAdd(factor, column[v], sum[q][v]);
      }
    }
    each([&](int q, int v) { hn::StoreU(sum[q][v], kRow, out + q * out_stride + first + v * lanes); });
  }
}

// The same for `queries` rows.
void tile_dots(int64_t queries, const float* x, const float* columns, int64_t d, float* out, int64_t out_stride) {
  int64_t q = 0;
  for (; q + kQueriesAtOnce <= queries; q += kQueriesAtOnce)
    tile_dots<kQueriesAtOnce>(x + q * d, columns, d, out + q * out_stride, out_stride);
  for (; q + 2 <= queries; q += 2) tile_dots<2>(x + q * d, columns, d, out + q * out_stride, out_stride);
  if (q < queries) tile_dots<1>(x + q * d, columns, d, out + q * out_stride, out_stride);
}

struct BackwardArrays {
  const float* dout;
  const float* q;
  const float* log_sum_exp;
  float* dq;
};

// The queries of a block of rows, contiguous, with what the backward pass knows of each.
class BackwardBlock {
 public:
  BackwardBlock(const AttentionShape& shape, const BackwardArrays& arrays) : shape_(shape), arrays_(arrays) {}

  // Writes dq of the rows and adds to the gradients of the keys and values they see.
  void run(const HeadOfSpan& head, Range rows) {
    const int64_t d = shape_.head_dim;
    gather(head, rows);
    find_slopes();
    for (const Tile& tile : tiles_) {
      add_seen_rows(queries_, tile.positions, slope_.data() + tile.column, width_,
                    tile.part->keys + tile.first * head.stride, head.stride, d,
                    [&](size_t i) { return dq_.data() + static_cast<int64_t>(i) * d; });
      for (int64_t j = 0; j < tile.positions.size(); ++j) add_to_key(tile, j, rows, head);
    }
    for (size_t i = 0; i < queries_.size(); ++i)
      std::copy_n(dq_.data() + static_cast<int64_t>(i) * d, d, arrays_.dq + queries_[i].at * d);
  }

 private:
  // Positions of a part that lie in one of its tiles, and where they stand in a row of scores.
  struct Tile {
    const KeyPart* part;
    Range positions;
    int64_t first;   // of the positions, counted from the part's
    int64_t column;  // of the first position
  };

  void gather(const HeadOfSpan& head, Range rows) {
    const int64_t d = shape_.head_dim;
    head.queries_of(rows, queries_);
    const size_t count = queries_.size(), floats = count * static_cast<size_t>(d);
    q_.resize(floats), dout_.resize(floats);
    dq_.assign(floats, 0.0F);
    for (size_t i = 0; i < count; ++i) {
      const int64_t at = queries_[i].at;
      std::copy_n(arrays_.q + at * d, d, q_.data() + static_cast<int64_t>(i) * d);
      std::copy_n(arrays_.dout + at * d, d, dout_.data() + static_cast<int64_t>(i) * d);
    }
    tiles_.clear();
    head.for_tiles(head.seen_by_any(rows), [&](const KeyPart& part, Range tile) {
      const int64_t first = tile.begin - part.positions.begin;
      tiles_.push_back({&part, tile, first, static_cast<int64_t>(tiles_.size()) * kTile + first % kTile});
    });
    width_ = static_cast<int64_t>(tiles_.size()) * kTile;
    probability_.resize(count * static_cast<size_t>(width_)), slope_.resize(probability_.size());
  }

  // Probabilities and slopes of each query at the positions it sees. Both sums over them are taken from the very scores
  // used here, not from the forward pass, which adds in another order: what all keys have in common then leaves no
  // trace in the slopes however large the scores are, and the slope of a single key is 0 to the last bit.
  void find_slopes() {
    const int64_t d = shape_.head_dim, queries = static_cast<int64_t>(queries_.size());
    for (const Tile& tile : tiles_) {
      const int64_t in_part = tile.first / kTile * kTile * d, column = tile.column / kTile * kTile;
      tile_dots(queries, q_.data(), tile.part->key_columns + in_part, d, probability_.data() + column, width_);
      tile_dots(queries, dout_.data(), tile.part->value_columns + in_part, d, slope_.data() + column, width_);
    }
    const RowVec scale = hn::Set(kRow, shape_.scale);
    for (int64_t i = 0; i < queries; ++i) {
      const Query& query = queries_[static_cast<size_t>(i)];
      float* probability = probability_.data() + i * width_;
      float* slope = slope_.data() + i * width_;
      const RowVec lse = hn::Set(kRow, arrays_.log_sum_exp[query.at]);
      RowVec sum = hn::Zero(kRow);
      for_seen(query, [&](int64_t j, auto mask) {
        const RowVec e =
            hn::IfThenElseZero(mask, hn::Exp(kRow, hn::MulSub(hn::LoadU(kRow, probability + j), scale, lse)));
        hn::StoreU(e, kRow, probability + j);
        sum = hn::Add(sum, e);
      });
      const RowVec total = hn::Set(kRow, sum_lanes(sum));
      RowVec product = hn::Zero(kRow);
      for_seen(query, [&](int64_t j, auto mask) {
        const RowVec p = hn::Div(hn::LoadU(kRow, probability + j), total);
        hn::StoreU(p, kRow, probability + j);
        product = hn::IfThenElse(mask, hn::MulAdd(p, hn::LoadU(kRow, slope + j), product), product);
      });
      const RowVec delta = hn::Set(kRow, sum_lanes(product));
      for_seen(query, [&](int64_t j, auto) {
        const RowVec p = hn::Mul(hn::LoadU(kRow, probability + j), scale);
        hn::StoreU(hn::Mul(p, hn::Sub(hn::LoadU(kRow, slope + j), delta)), kRow, slope + j);
      });
    }
  }

  // Calls f(column, mask) for the vectors of scores in which the query sees anything; the mask says where.
  template <class F>
  HWY_INLINE void for_seen(const Query& query, F&& f) const {
    const int64_t lanes = row_lanes();
    for (const Tile& tile : tiles_) {
      const Range seen = intersection(query.seen, tile.positions);
      if (seen.size() <= 0) continue;
      const int64_t begin = tile.column + seen.begin - tile.positions.begin, end = begin + seen.size();
      for (int64_t j = begin / lanes * lanes; j < end; j += lanes)
        f(j, hn::AndNot(hn::FirstN(kRow, static_cast<size_t>(std::max<int64_t>(0, begin - j))),
                        hn::FirstN(kRow, static_cast<size_t>(std::min(lanes, end - j)))));
    }
  }

  // What the rows add to the gradients of the key and the value at the tile's j-th position.
  void add_to_key(const Tile& tile, int64_t j, Range rows, const HeadOfSpan& head) {
    const int64_t d = shape_.head_dim, group = head.queries_per_row();
    const Range seeing = head.rows_seeing(tile.positions.begin + j, rows);
    const int64_t first = (seeing.begin - rows.begin) * group, weight = first * width_ + tile.column + j;
    const int64_t target = (tile.first + j) * tile.part->gradient_stride;
    const WeightedSum pair[] = {
        {slope_.data() + weight, width_, q_.data() + first * d, tile.part->dkeys + target},
        {probability_.data() + weight, width_, dout_.data() + first * d, tile.part->dvalues + target}};
    add_weighted<2>(pair, seeing.size() * group, d, d);
  }

  const AttentionShape& shape_;
  const BackwardArrays& arrays_;
  std::vector<Query> queries_;
  std::vector<Tile> tiles_;
  int64_t width_ = 0;  // of a row of scores: whole tiles
  std::vector<float> q_, dout_, dq_, probability_, slope_;
};

// Spans that one task works through: one span, or neighbours that continue the same prefix. Their part of the prefix's
// gradient goes to a place of its own, so that tasks need not wait for one another and the sum has one order.
struct Run {
  size_t begin, end;  // spans
  int64_t prefix;
  int64_t prefix_rows;
  int64_t partial;  // offset of its [K, 2, prefix_rows, D] floats
  int64_t work;
};

std::vector<Run> runs_of(std::span<const AttentionSpan> spans, int64_t floats_per_prefix_row) {
  constexpr int64_t kRows = 64;
  std::vector<Run> runs;
  int64_t partial = 0, rows = 0;
  for (size_t s = 0; s < spans.size(); ++s) {
    const AttentionSpan& span = spans[s];
    if (runs.empty() || span.prefix < 0 || span.prefix != runs.back().prefix || rows >= kRows) {
      const int64_t prefix_rows = span.prefix < 0 ? 0 : spans[static_cast<size_t>(span.prefix)].rows;
      runs.push_back({s, s, span.prefix, prefix_rows, partial, 0});
      partial += prefix_rows * floats_per_prefix_row;
      rows = 0;
    }
    Run& run = runs.back();
    run.end = s + 1;
    run.work += span.rows * (run.prefix_rows + span.rows / 2 + 1);
    rows += span.rows;
  }
  return runs;
}

void backward_simd(const AttentionShape& shape, std::span<const AttentionSpan> spans, const float* dout, const float* q,
                   const float* log_sum_exp, float* dq, float* dk, float* dv) {
  const BackwardArrays arrays{dout, q, log_sum_exp, dq};
  const int64_t d = shape.head_dim, stride = shape.kv_heads * d;
  const std::vector<Run> runs = runs_of(spans, 2 * stride);
  if (runs.empty()) return;
  const Run& last = runs.back();
  const auto partial =
      std::make_unique_for_overwrite<float[]>(static_cast<size_t>(last.partial + 2 * last.prefix_rows * stride));
  // [prefix_rows, D] of one head: the gradient of its keys, and behind it that of its values.
  const auto partial_of = [&](const Run& run, int64_t head) {
    return partial.get() + run.partial + 2 * head * run.prefix_rows * d;
  };

  std::vector<size_t> order(runs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  // Longest first, so that the last task to finish is a short one.
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return runs[a].work > runs[b].work; });
  parallel_for_rethrowing(static_cast<int64_t>(runs.size()) * shape.kv_heads, [&](int64_t t) {
    const Run& run = runs[order[static_cast<size_t>(t / shape.kv_heads)]];
    const int64_t kv_head = t % shape.kv_heads;
    float* prefix_gradient = partial_of(run, kv_head);
    std::fill_n(prefix_gradient, 2 * run.prefix_rows * d, 0.0F);
    BackwardBlock block(shape, arrays);
    std::array<std::vector<float>, 2> keys, values;  // of the prefix and of the span, by columns
    for (size_t s = run.begin; s < run.end; ++s) {
      HeadOfSpan head(shape, spans, s, kv_head);
      for (size_t i = 0; i < head.parts.size(); ++i) {
        KeyPart& part = head.parts[i];
        const int64_t count = part.positions.size();
        if (count == 0) continue;
        if (i > 0 || s == run.begin) {  // the prefix is that of all of the run's spans
          by_columns(part.keys, count, stride, d, keys[i]);
          by_columns(part.values, count, stride, d, values[i]);
        }
        part.key_columns = keys[i].data(), part.value_columns = values[i].data();
      }
      const int64_t first = spans[s].first_row * stride + kv_head * d, rows = spans[s].rows;
      for (float* gradient : {dk, dv})
        for (int64_t j = 0; j < rows; ++j) std::fill_n(gradient + first + j * stride, d, 0.0F);
      head.parts[0].dkeys = prefix_gradient;
      head.parts[0].dvalues = prefix_gradient + run.prefix_rows * d;
      head.parts[0].gradient_stride = d;
      head.parts[1].dkeys = dk + first;
      head.parts[1].dvalues = dv + first;
      head.parts[1].gradient_stride = stride;
      const int64_t step = head.rows_per_block();
      for (int64_t row = 0; row < rows; row += step) block.run(head, {row, std::min(rows, row + step)});
    }
  });

  std::vector<std::vector<const Run*>> continuing(spans.size());
  for (const Run& run : runs)
    if (run.prefix >= 0) continuing[static_cast<size_t>(run.prefix)].push_back(&run);
  parallel_for(static_cast<int64_t>(spans.size()) * shape.kv_heads, [&](int64_t t) {
    const auto prefix = static_cast<size_t>(t / shape.kv_heads);
    const int64_t kv_head = t % shape.kv_heads, first = spans[prefix].first_row * stride + kv_head * d;
    for (const Run* run : continuing[prefix]) {
      const float* part = partial_of(*run, kv_head);
      for (int64_t j = 0; j < run->prefix_rows; ++j) {
        axpy(1.0F, part + j * d, dk + first + j * stride, d);
        axpy(1.0F, part + (run->prefix_rows + j) * d, dv + first + j * stride, d);
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
HWY_EXPORT(backward_simd);
}  // namespace

void attention_backward(const AttentionShape& shape, std::span<const AttentionSpan> spans, const float* dout,
                        const float* q, const float* log_sum_exp, float* dq, float* dk, float* dv) {
  HWY_DYNAMIC_DISPATCH(backward_simd)(shape, spans, dout, q, log_sum_exp, dq, dk, dv);
}

}  // namespace agro
#endif  // HWY_ONCE
