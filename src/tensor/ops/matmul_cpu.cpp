#include "tensor/ops/matmul_cpu.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

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

HWY_INLINE V load_right(D d, const float* p) { return hn::LoadU(d, p); }
HWY_INLINE V load_right(D d, const hwy::bfloat16_t* p) {
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<hwy::bfloat16_t, D>(), p));
}

// R rows × two vectors of columns, over all k.
template <int R, class T>
HWY_INLINE void tile(const float* HWY_RESTRICT a, int64_t row_stride, int64_t k_stride, const T* HWY_RESTRICT b,
                     int64_t k, V (&low)[R], V (&high)[R]) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int r = 0; r < R; ++r) low[r] = high[r] = hn::Zero(d);
  for (int64_t i = 0; i < k; ++i) {
    const V b0 = load_right(d, b + i * kPanelColumns);
    const V b1 = load_right(d, b + i * kPanelColumns + lanes);
    const float* HWY_RESTRICT column = a + i * k_stride;
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const V x = hn::Set(d, column[r * row_stride]);
      low[r] = hn::MulAdd(x, b0, low[r]);
      high[r] = hn::MulAdd(x, b1, high[r]);
    }
  }
}

HWY_INLINE void finish(D d, V sum, float* out, const float* bias, bool accumulate, int64_t count) {
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  if (count <= 0) return;
  if (count >= lanes) {
    if (bias != nullptr) sum = hn::Add(sum, hn::LoadU(d, bias));
    if (accumulate) sum = hn::Add(sum, hn::LoadU(d, out));
    hn::StoreU(sum, d, out);
    return;
  }
  HWY_ALIGN float spill[hn::MaxLanes(D())];
  hn::Store(sum, d, spill);
  for (int64_t i = 0; i < count; ++i) {
    float value = spill[i];
    if (bias != nullptr) value += bias[i];
    if (accumulate) value += out[i];
    out[i] = value;
  }
}

struct Panel {
  const void* right;   // [k][kPanelColumns]
  int64_t k, columns;  // columns that exist, ≤ kPanelColumns
  const float* bias;   // of this panel's first column, or null
  bool accumulate;
};

template <int R, class T>
void rows_times_panel(const float* a, int64_t row_stride, int64_t k_stride, const Panel& panel, float* out,
                      int64_t out_stride) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t c = 0; c < panel.columns; c += 2 * lanes) {
    V low[R], high[R];
    tile<R>(a, row_stride, k_stride, static_cast<const T*>(panel.right) + c, panel.k, low, high);
    const float* bias = panel.bias == nullptr ? nullptr : panel.bias + c;
    for (int r = 0; r < R; ++r) {
      float* row = out + r * out_stride + c;
      finish(d, low[r], row, bias, panel.accumulate, panel.columns - c);
      finish(d, high[r], row + lanes, bias == nullptr ? nullptr : bias + lanes, panel.accumulate,
             panel.columns - c - lanes);
    }
  }
}

using RowKernel = void (*)(const float*, int64_t, int64_t, const Panel&, float*, int64_t);

template <class T, int... R>
constexpr auto kernels_by_rows(std::integer_sequence<int, R...>) {
  return std::array<RowKernel, sizeof...(R)>{rows_times_panel<R + 1, T>...};
}

template <class T>
void matmul_block(const StridedMatrix& a, int64_t row_begin, int64_t row_end, const Panel& panel, float* out,
                  int64_t out_stride) {
  static constexpr auto kKernels = kernels_by_rows<T>(std::make_integer_sequence<int, kRows>());
  for (int64_t row = row_begin; row < row_end; row += kRows) {
    const int64_t count = std::min<int64_t>(kRows, row_end - row);
    kKernels[static_cast<size_t>(count - 1)](a.data + row * a.row_stride, a.row_stride, a.k_stride, panel,
                                             out + row * out_stride, out_stride);
  }
}

void matmul_simd(const StridedMatrix& a, const PackedMatrix& b, float* out, int64_t out_stride,
                 const MatmulOptions& options) {
  constexpr int64_t kRowChunk = 8 * kRows;
  const int64_t last = options.last_column < 0 ? b.n() : options.last_column;
  const int64_t first_panel = options.first_column / kPanelColumns;
  const int64_t panels = (last - options.first_column + kPanelColumns - 1) / kPanelColumns;
  const int64_t row_chunks = (a.rows + kRowChunk - 1) / kRowChunk;
  // Enough work per task to hide the hand-out (about a microsecond), small enough to balance two to many threads.
  const int64_t flops_per_panel = 2 * std::min(a.rows, kRowChunk) * b.k() * kPanelColumns;
  const int64_t group = std::clamp<int64_t>((1 << 21) / std::max<int64_t>(1, flops_per_panel), 1, 64);
  const int64_t panel_groups = (panels + group - 1) / group;
  parallel_for(row_chunks * panel_groups, [&](int64_t task) {
    const int64_t row = task / panel_groups * kRowChunk;
    const int64_t begin = task % panel_groups * group;
    for (int64_t p = begin; p < std::min(panels, begin + group); ++p) {
      const int64_t column = p * kPanelColumns;
      const Panel panel{b.panel(first_panel + p), b.k(), std::min(kPanelColumns, last - options.first_column - column),
                        options.bias == nullptr ? nullptr : options.bias + options.first_column + column,
                        options.accumulate};
      const int64_t row_end = std::min(a.rows, row + kRowChunk);
      if (b.element() == PackedMatrix::Element::kFloat32)
        matmul_block<float>(a, row, row_end, panel, out + column, out_stride);
      else
        matmul_block<hwy::bfloat16_t>(a, row, row_end, panel, out + column, out_stride);
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace agro
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace agro {
namespace {

HWY_EXPORT(matmul_simd);

template <class T>
PackedMatrix pack_transposed(const T* source, int64_t n, int64_t k, PackedMatrix::Element element) {
  PackedMatrix packed(k, n, element);
  constexpr int64_t kPanel = PackedMatrix::kPanel;
  parallel_for(packed.panels(), [&](int64_t p) {
    T* panel = reinterpret_cast<T*>(packed.panel(p));
    const int64_t columns = std::min(kPanel, n - p * kPanel);
    if (columns < kPanel) std::memset(panel, 0, static_cast<size_t>(k * kPanel) * sizeof(T));
    // 16 k at a time keeps the reads of each source row within one cache line.
    for (int64_t block = 0; block < k; block += 16)
      for (int64_t c = 0; c < columns; ++c) {
        const T* row = source + (p * kPanel + c) * k;
        for (int64_t i = block; i < std::min(k, block + 16); ++i) panel[i * kPanel + c] = row[i];
      }
  });
  return packed;
}

template <class T>
PackedMatrix pack_plain(const T* source, int64_t k, int64_t n, int64_t row_stride, PackedMatrix::Element element) {
  PackedMatrix packed(k, n, element);
  constexpr int64_t kPanel = PackedMatrix::kPanel;
  parallel_for(packed.panels(), [&](int64_t p) {
    T* panel = reinterpret_cast<T*>(packed.panel(p));
    const int64_t columns = std::min(kPanel, n - p * kPanel);
    for (int64_t i = 0; i < k; ++i) {
      std::memcpy(panel + i * kPanel, source + i * row_stride + p * kPanel, static_cast<size_t>(columns) * sizeof(T));
      std::fill(panel + i * kPanel + columns, panel + (i + 1) * kPanel, T{});
    }
  });
  return packed;
}

}  // namespace

PackedMatrix::PackedMatrix(int64_t k, int64_t n, Element element) : k_(k), n_(n), element_(element) {
  data_ = aligned_memory(static_cast<size_t>(panels() * panel_bytes()));
}

PackedMatrix PackedMatrix::from_transposed(const float* source, int64_t n, int64_t k) {
  return pack_transposed(source, n, k, Element::kFloat32);
}
PackedMatrix PackedMatrix::from_transposed(const uint16_t* bfloat16, int64_t n, int64_t k) {
  return pack_transposed(bfloat16, n, k, Element::kBFloat16);
}
PackedMatrix PackedMatrix::from_plain(const float* source, int64_t k, int64_t n, int64_t row_stride) {
  return pack_plain(source, k, n, row_stride, Element::kFloat32);
}
PackedMatrix PackedMatrix::from_plain(const uint16_t* bfloat16, int64_t k, int64_t n, int64_t row_stride) {
  return pack_plain(bfloat16, k, n, row_stride, Element::kBFloat16);
}

void matmul(const StridedMatrix& a, const PackedMatrix& b, float* out, int64_t out_stride,
            const MatmulOptions& options) {
  if (a.rows == 0) return;
  HWY_DYNAMIC_DISPATCH(matmul_simd)(a, b, out, out_stride, options);
}

}  // namespace agro
#endif  // HWY_ONCE
