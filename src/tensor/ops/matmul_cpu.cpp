#include "tensor/ops/matmul_cpu.h"

#include <hwy/cache_control.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "core/parallel.h"
#include "tensor/ops/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/ops/matmul_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace agro {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int64_t kPanelColumns = PackedMatrix::kPanel;
using D = hn::CappedTag<float, kPanelColumns / 2>;
using V = hn::Vec<D>;

// Two vectors of columns per step; as many rows as the register file holds beside two right-hand and one broadcast
// register.
#if HWY_TARGET <= HWY_AVX3
constexpr int kRows = 12;
#else
constexpr int kRows = 6;
#endif
constexpr int64_t kBlocksPerChunk = 8, kRowChunk = kBlocksPerChunk * kRows;
// So much of k at a time that rows and panels stay in cache; a chain goes on where the part before left it.
constexpr int64_t kDepth = 768;

HWY_INLINE V load_right(D d, const float* p) { return hn::LoadU(d, p); }
HWY_INLINE V load_right(D d, const hwy::bfloat16_t* p) {
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<hwy::bfloat16_t, D>(), p));
}

/// Rows of consecutive k.
struct PlainLeft {
  static constexpr int64_t kStep = 1;
  const float* data;
  int64_t row_stride;
  HWY_INLINE const float* row(int64_t r) const { return data + r * row_stride; }
};

/// For each k, kRows rows side by side.
struct InterleavedLeft {
  static constexpr int64_t kStep = kRows;
  const float* data;
  HWY_INLINE const float* row(int64_t r) const { return data + r; }
};

/// What a chain begins with and what is added at its end.
struct Ends {
  bool from_out;      // begin with what `out` holds, else with 0
  const float* bias;  // of the first column, or null
};

/// R rows × P panels × two vectors of columns of each, over k.
template <int R, int P, class T, class Left>
HWY_INLINE void tile(const Left& left, const T* HWY_RESTRICT b, int64_t k_stride, int64_t panel_stride, int64_t k,
                     float* out, int64_t out_stride, const Ends& ends) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  V sum[R][P][2];
  const float* HWY_RESTRICT row[R];
  // Unrolled, so that the sums stay in registers.
  const auto each = [](auto&& f) {
    HWY_UNROLL(12)
    for (int r = 0; r < R; ++r) {
      HWY_UNROLL(4)
      for (int p = 0; p < P; ++p) {
        HWY_UNROLL(2)
        for (int v = 0; v < 2; ++v) f(r, p, v);
      }
    }
  };
  const auto at = [&](int r, int p, int v) { return out + r * out_stride + p * kPanelColumns + v * lanes; };
  if (ends.from_out)
    each([&](int r, int p, int v) { sum[r][p][v] = hn::LoadU(d, at(r, p, v)); });
  else
    each([&](int r, int p, int v) {
      hwy::Prefetch(at(r, p, v));
      sum[r][p][v] = hn::Zero(d);
    });
  HWY_UNROLL(12)
  for (int r = 0; r < R; ++r) row[r] = left.row(r);
  for (int64_t i = 0; i < k; ++i, b += k_stride) {
    V right[P][2];
    HWY_UNROLL(4)
    for (int p = 0; p < P; ++p) {
      right[p][0] = load_right(d, b + p * panel_stride);
      right[p][1] = load_right(d, b + p * panel_stride + lanes);
    }
    HWY_UNROLL(12)
    for (int r = 0; r < R; ++r) {
      const V x = hn::Set(d, row[r][i * Left::kStep]);
      HWY_UNROLL(4)
      for (int p = 0; p < P; ++p) {
        sum[r][p][0] = hn::MulAdd(x, right[p][0], sum[r][p][0]);
        sum[r][p][1] = hn::MulAdd(x, right[p][1], sum[r][p][1]);
      }
    }
  }
  if (ends.bias != nullptr)
    each([&](int r, int p, int v) {
      sum[r][p][v] = hn::Add(sum[r][p][v], hn::LoadU(d, ends.bias + p * kPanelColumns + v * lanes));
    });
  each([&](int r, int p, int v) { hn::StoreU(sum[r][p][v], d, at(r, p, v)); });
}

/// begin … end − 1.
struct Range {
  int64_t begin, end;
};

/// Columns of one product that lie in neighbouring panels, over one part of k.
struct Strip {
  const void* right;               // [k of the matrix][kPanelColumns] of the first panel, from this part of k on
  int64_t k_stride, panel_stride;  // elements
  int64_t depth;                   // of this part
  int64_t columns;                 // that exist, ≤ P · kPanelColumns
  Ends ends;
};

/// The tiles of R rows and P panels; a last panel that is not full goes through memory of its own.
template <int R, int P, class T, class Left>
void rows_times_panels(const Left& left, const Strip& strip, float* out, int64_t out_stride) {
  constexpr int64_t kStep = 2 * hn::MaxLanes(D());
  const int64_t step = 2 * static_cast<int64_t>(hn::Lanes(D()));
  for (int64_t c = 0; c < std::min(strip.columns, kPanelColumns); c += step) {
    const T* right = static_cast<const T*>(strip.right) + c;
    Ends ends = strip.ends;
    if (ends.bias != nullptr) ends.bias += c;
    if (P > 1 || c + step <= strip.columns) {
      tile<R, P>(left, right, strip.k_stride, strip.panel_stride, strip.depth, out + c, out_stride, ends);
      continue;
    }
    const int64_t columns = strip.columns - c;
    HWY_ALIGN float edge[R * kStep] = {}, bias[kStep] = {};
    if (ends.from_out)
      for (int r = 0; r < R; ++r) std::copy_n(out + r * out_stride + c, columns, edge + r * step);
    if (ends.bias != nullptr) std::copy_n(ends.bias, columns, bias);
    tile<R, 1>(left, right, strip.k_stride, 0, strip.depth, edge, step,
               {ends.from_out, ends.bias == nullptr ? nullptr : bias});
    for (int r = 0; r < R; ++r) std::copy_n(edge + r * step, columns, out + r * out_stride + c);
  }
}

/// Panels that a tile of few rows takes at once: enough chains of multiply-adds to hide their latency.
constexpr int kMostRowsOfSeveralPanels = 3;
constexpr int panels_at_once(int rows) { return rows == 1 ? 4 : rows <= kMostRowsOfSeveralPanels ? 2 : 1; }

/// All panels of a part of k, for R rows.
template <int R, class T, class Left>
void rows_times_strip(const Left& left, const Strip& all, float* out, int64_t out_stride) {
  constexpr int P = panels_at_once(R);
  Strip strip = all;
  const auto advance = [&](int64_t columns) {
    strip.right = static_cast<const T*>(strip.right) + columns / kPanelColumns * strip.panel_stride;
    strip.columns -= columns;
    if (strip.ends.bias != nullptr) strip.ends.bias += columns;
    out += columns;
  };
  for (; strip.columns >= P * kPanelColumns; advance(P * kPanelColumns))
    rows_times_panels<R, P, T>(left, strip, out, out_stride);
  for (; strip.columns > 0; advance(kPanelColumns)) rows_times_panels<R, 1, T>(left, strip, out, out_stride);
}

template <class T, class Left>
using RowKernel = void (*)(const Left&, const Strip&, float*, int64_t);

template <class T, class Left>
RowKernel<T, Left> kernel_for(int64_t rows) {
  static constexpr auto kKernels = []<int... R>(std::integer_sequence<int, R...>) {
    return std::array<RowKernel<T, Left>, sizeof...(R)>{rows_times_strip<R + 1, T, Left>...};
  }
  (std::make_integer_sequence<int, kRows>());
  return kKernels[static_cast<size_t>(rows - 1)];
}

/// `rows` of `a` over a part of k: for each k kRows of them side by side, block after block of kRows.
void interleave(const StridedMatrix& a, Range rows, Range k, float* out) {
  const int64_t block = (k.end - k.begin) * kRows;
  for (int64_t i = k.begin; i < k.end; ++i, out += kRows) {
    const float* column = a.data + i * a.k_stride;
    float* to = out;
    int64_t row = rows.begin;
    if (a.row_stride == 1)
      for (; row + kRows <= rows.end; row += kRows, to += block) std::memcpy(to, column + row, kRows * sizeof(float));
    for (; row < rows.end; row += kRows, to += block)
      for (int64_t r = 0; r < std::min<int64_t>(kRows, rows.end - row); ++r) to[r] = column[(row + r) * a.row_stride];
  }
}

/// The row blocks of a task times one strip. left_of(row): the left-hand side from that row on.
template <class T, class LeftOf>
void multiply_strip(Range rows, const Strip& strip, float* out, int64_t out_stride, LeftOf&& left_of) {
  for (int64_t row = rows.begin; row < rows.end; row += kRows) {
    const auto left = left_of(row);
    kernel_for<T, decltype(left)>(std::min<int64_t>(kRows, rows.end - row))(left, strip, out + row * out_stride,
                                                                            out_stride);
  }
}

/// One task: some rows times some panels, over all k.
template <class T>
void multiply(const StridedMatrix& a, Range rows, const PackedMatrix& b, Range columns, float* out, int64_t out_stride,
              const MatmulOptions& options) {
  const bool plain = a.k_stride == 1;
  thread_local std::vector<float> interleaved;
  if (!plain) interleaved.resize(static_cast<size_t>(kRowChunk * kDepth));
  // Several panels at once only where there are too few rows to fill the registers.
  const int64_t width = rows.end - rows.begin > kMostRowsOfSeveralPanels ? kPanelColumns : columns.end - columns.begin;
  const int64_t parts = std::max<int64_t>(1, (b.k() + kDepth - 1) / kDepth),
                depth = std::max<int64_t>(1, (b.k() + parts - 1) / parts);
  for (int64_t k = 0; k == 0 || k < b.k(); k += depth) {
    const Range part{k, std::min(b.k(), k + depth)};
    const bool last = part.end == b.k();
    if (!plain) interleave(a, rows, part, interleaved.data());
    for (int64_t column = columns.begin; column < columns.end; column += width) {
      const float* bias = last && options.bias != nullptr ? options.bias + column : nullptr;
      const Strip strip{reinterpret_cast<const T*>(b.panel(column / kPanelColumns)) + k * b.k_stride(),
                        b.k_stride(),
                        b.panel_stride(),
                        part.end - part.begin,
                        std::min(width, columns.end - column),
                        {options.accumulate || k > 0, bias}};
      float* to = out + column - options.first_column;
      if (plain)
        multiply_strip<T>(rows, strip, to, out_stride, [&](int64_t row) {
          return PlainLeft{a.data + row * a.row_stride + k, a.row_stride};
        });
      else
        multiply_strip<T>(rows, strip, to, out_stride, [&](int64_t row) {
          return InterleavedLeft{interleaved.data() + (row - rows.begin) * strip.depth};
        });
    }
  }
}

/// How a product is cut into tasks: enough work in each to hide the hand-out (about a microsecond), enough tasks to
/// balance two to many threads. The cut is free: no number depends on it.
struct Tasks {
  Tasks(const StridedMatrix& a, int64_t k, int64_t panels) {
    constexpr int64_t kFlops = 1 << 21;
    const int64_t blocks = (a.rows + kRows - 1) / kRows, threads = thread_count();
    // Interleaving rows pays where many panels use them.
    const bool plain = a.k_stride == 1;
    rows = kRows * std::clamp<int64_t>(plain ? kBlocksPerChunk : (blocks + 2 * threads - 1) / (2 * threads), 1,
                                       kBlocksPerChunk);
    const int64_t row_chunks = (a.rows + rows - 1) / rows;
    const int64_t flops_of_panel = std::max<int64_t>(1, 2 * std::min(a.rows, rows) * k * kPanelColumns);
    const int64_t enough = plain ? std::clamp<int64_t>(kFlops / flops_of_panel, 1, 64) : panels;
    // A single row is bound by reading the panels: every thread gets its share of them.
    const int64_t balanced = row_chunks >= 2 * threads ? panels : (panels + 2 * threads - 1) / (2 * threads);
    panels_at_once = std::max<int64_t>(1, std::min(enough, balanced));
  }
  int64_t rows, panels_at_once;
};

void matmul_simd(const StridedMatrix& a, const PackedMatrix& b, float* out, int64_t out_stride,
                 const MatmulOptions& options) {
  const int64_t last = options.last_column < 0 ? b.n() : options.last_column;
  const int64_t panels = (last - options.first_column + kPanelColumns - 1) / kPanelColumns;
  const Tasks tasks(a, b.k(), panels);
  const int64_t groups = (panels + tasks.panels_at_once - 1) / tasks.panels_at_once;
  parallel_for((a.rows + tasks.rows - 1) / tasks.rows * groups, [&](int64_t task) {
    const int64_t row = task / groups * tasks.rows;
    const int64_t column = options.first_column + task % groups * tasks.panels_at_once * kPanelColumns;
    const Range rows{row, std::min(a.rows, row + tasks.rows)};
    const Range columns{column, std::min(last, column + tasks.panels_at_once * kPanelColumns)};
    if (b.element() == PackedMatrix::Element::kFloat32)
      multiply<float>(a, rows, b, columns, out, out_stride, options);
    else
      multiply<hwy::bfloat16_t>(a, rows, b, columns, out, out_stride, options);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace agro
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace agro {
namespace {

HWY_EXPORT(matmul_simd);

}  // namespace

void matmul(const StridedMatrix& a, const PackedMatrix& b, float* out, int64_t out_stride,
            const MatmulOptions& options) {
  if (a.rows == 0) return;
  HWY_DYNAMIC_DISPATCH(matmul_simd)(a, b, out, out_stride, options);
}

}  // namespace agro
#endif  // HWY_ONCE
