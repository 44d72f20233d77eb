// Weights and activations in the layout of matmul()'s right-hand side.
#include <algorithm>
#include <cstring>
#include <utility>

#include "core/parallel.h"
#include "tensor/ops/matmul_cpu.h"
#include "tensor/ops/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/ops/packed_matrix_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace agro {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int64_t kPanelColumns = PackedMatrix::kPanel;

/// Rows [0, columns) of `source`, k long, into one panel, which they become the columns of; any element.
template <class T>
void turn_rows(const T* source, int64_t columns, int64_t first_k, int64_t k, T* panel) {
  for (int64_t c = 0; c < columns; ++c)
    for (int64_t i = first_k; i < k; ++i) panel[i * kPanelColumns + c] = source[c * k + i];
}

#if HWY_TARGET != HWY_SCALAR
/// Four rows × four k.
HWY_INLINE void turn_four(const float* source, int64_t stride, float* out) {
  const hn::FixedTag<float, 4> d;
  const hn::Repartition<double, decltype(d)> pairs;
  const auto a = hn::LoadU(d, source), b = hn::LoadU(d, source + stride), c = hn::LoadU(d, source + 2 * stride),
             e = hn::LoadU(d, source + 3 * stride);
  const auto ab_low = hn::BitCast(pairs, hn::InterleaveLower(d, a, b)),
             ab_high = hn::BitCast(pairs, hn::InterleaveUpper(d, a, b)),
             ce_low = hn::BitCast(pairs, hn::InterleaveLower(d, c, e)),
             ce_high = hn::BitCast(pairs, hn::InterleaveUpper(d, c, e));
  const auto store = [&](auto v, int64_t i) { hn::StoreU(hn::BitCast(d, v), d, out + i * kPanelColumns); };
  store(hn::InterleaveLower(pairs, ab_low, ce_low), 0);
  store(hn::InterleaveUpper(pairs, ab_low, ce_low), 1);
  store(hn::InterleaveLower(pairs, ab_high, ce_high), 2);
  store(hn::InterleaveUpper(pairs, ab_high, ce_high), 3);
}

void turn_rows(const float* source, int64_t columns, int64_t first_k, int64_t k, float* panel) {
  constexpr int64_t kLine = 16;  // floats of a cache line: every line is read once
  int64_t i = first_k;
  for (; columns == kPanelColumns && i + kLine <= k; i += kLine)
    for (int64_t c = 0; c < kPanelColumns; c += 4)
      for (int64_t j = i; j < i + kLine; j += 4) turn_four(source + c * k + j, k, panel + j * kPanelColumns + c);
  turn_rows<float>(source, columns, i, k, panel);
}
#endif

template <class T>
void pack_transposed(const T* source, PackedMatrix& packed) {
  const int64_t k = packed.k();
  parallel_for(packed.panels(), [&](int64_t p) {
    T* panel = reinterpret_cast<T*>(packed.panel(p));
    const int64_t columns = std::min(kPanelColumns, packed.n() - p * kPanelColumns);
    if (columns < kPanelColumns) std::memset(panel, 0, static_cast<size_t>(k * kPanelColumns) * sizeof(T));
    turn_rows(source + p * kPanelColumns * k, columns, 0, k, panel);
  });
}

void pack_transposed_float32(const float* source, PackedMatrix& packed) { pack_transposed(source, packed); }
void pack_transposed_bfloat16(const uint16_t* source, PackedMatrix& packed) { pack_transposed(source, packed); }

}  // namespace HWY_NAMESPACE
}  // namespace agro
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace agro {
namespace {

HWY_EXPORT(pack_transposed_float32);
HWY_EXPORT(pack_transposed_bfloat16);

template <class T>
void pack_plain(const T* source, int64_t row_stride, PackedMatrix& packed) {
  constexpr int64_t kPanel = PackedMatrix::kPanel;
  parallel_for(packed.panels(), [&](int64_t p) {
    T* panel = reinterpret_cast<T*>(packed.panel(p));
    const int64_t columns = std::min(kPanel, packed.n() - p * kPanel);
    for (int64_t i = 0; i < packed.k(); ++i) {
      std::memcpy(panel + i * kPanel, source + i * row_stride + p * kPanel, static_cast<size_t>(columns) * sizeof(T));
      std::fill(panel + i * kPanel + columns, panel + (i + 1) * kPanel, T{});
    }
  });
}

}  // namespace

PackedMatrix::PackedMatrix(int64_t k, int64_t n, Element element) : k_(k), n_(n), element_(element) {
  data_ = aligned_memory(static_cast<size_t>(panels() * panel_bytes()));
}

PackedMatrix PackedMatrix::from_transposed(const float* source, int64_t n, int64_t k) {
  PackedMatrix packed(k, n, Element::kFloat32);
  HWY_DYNAMIC_DISPATCH(pack_transposed_float32)(source, packed);
  return packed;
}
PackedMatrix PackedMatrix::from_transposed(const uint16_t* bfloat16, int64_t n, int64_t k) {
  PackedMatrix packed(k, n, Element::kBFloat16);
  HWY_DYNAMIC_DISPATCH(pack_transposed_bfloat16)(bfloat16, packed);
  return packed;
}
PackedMatrix PackedMatrix::from_plain(const float* source, int64_t k, int64_t n, int64_t row_stride) {
  PackedMatrix packed(k, n, Element::kFloat32);
  pack_plain(source, row_stride, packed);
  return packed;
}
PackedMatrix PackedMatrix::view_or_copy(const float* source, int64_t k, int64_t n, int64_t row_stride) {
  if (n % kPanel != 0 || row_stride % 512 == 0) return from_plain(source, k, n, row_stride);
  PackedMatrix view;
  view.k_ = k, view.n_ = n;
  view.plain_ = source, view.row_stride_ = row_stride;
  return view;
}
PackedMatrix PackedMatrix::from_plain(const uint16_t* bfloat16, int64_t k, int64_t n, int64_t row_stride) {
  PackedMatrix packed(k, n, Element::kBFloat16);
  pack_plain(bfloat16, row_stride, packed);
  return packed;
}

}  // namespace agro
#endif  // HWY_ONCE
