#include "tensor/ops/pairs_product_cpu.h"

#include <hwy/cache_control.h>

#include "tensor/ops/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/ops/pairs_product_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace agro {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int64_t kColumns = 64, kTileDepth = 32;
// Numbers fetched ahead, 10 KiB: a stream of one core needs that much on its way to fill the memory's bandwidth.
constexpr int64_t kAhead = 40 * 2 * kColumns;

using DF = hn::CappedTag<float, 16>;
using DU = hn::RebindToUnsigned<DF>;
using V = hn::Vec<DF>;

/// Both numbers of as many pairs as a vector of float32 has lanes.
HWY_INLINE hn::Vec<DU> load_pairs(const uint16_t* p) {
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(DU(), static_cast<uint32_t>(p[1]) << 16 | p[0]);
#else
  return hn::BitCast(DU(), hn::LoadU(hn::Repartition<uint16_t, DF>(), p));
#endif
}

/// kVectors vectors of columns, side by side: enough chains to hide the latency of an addition.
template <int kVectors>
HWY_INLINE void columns_of_panel(const float* HWY_RESTRICT row, const uint16_t* HWY_RESTRICT pairs, int64_t depth,
                                 float* HWY_RESTRICT sums) {
  const DF d;
  const DU du;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto upper = hn::Set(du, 0xFFFF0000U);
  V sum[kVectors];
  HWY_UNROLL(4)
  for (int v = 0; v < kVectors; ++v) sum[v] = hn::Zero(d);
  for (int64_t tile = 0; tile < depth; tile += kTileDepth) {
    V even[kVectors], odd[kVectors];
    HWY_UNROLL(4)
    for (int v = 0; v < kVectors; ++v) even[v] = odd[v] = hn::Zero(d);
    for (int64_t k = tile; k < tile + kTileDepth; k += 2, pairs += 2 * kColumns) {
      const V a = hn::Set(d, row[k]), b = hn::Set(d, row[k + 1]);
      hwy::Prefetch(pairs + kAhead), hwy::Prefetch(pairs + kAhead + 32);
      hwy::Prefetch(pairs + kAhead + 64), hwy::Prefetch(pairs + kAhead + 96);
      HWY_UNROLL(4)
      for (int v = 0; v < kVectors; ++v) {
        const auto both = load_pairs(pairs + 2 * v * lanes);
        even[v] = hn::MulAdd(a, hn::BitCast(d, hn::ShiftLeft<16>(both)), even[v]);
        odd[v] = hn::MulAdd(b, hn::BitCast(d, hn::And(both, upper)), odd[v]);
      }
    }
    HWY_UNROLL(4)
    for (int v = 0; v < kVectors; ++v) sum[v] = hn::Add(sum[v], hn::Add(even[v], odd[v]));
  }
  HWY_UNROLL(4)
  for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[v], d, sums + v * lanes);
}

void panel_simd(const float* row, const uint16_t* pairs, int64_t depth, float* sums) {
  constexpr int kVectors = 4;
  const int64_t step = kVectors * static_cast<int64_t>(hn::Lanes(DF()));
  for (int64_t column = 0; column < kColumns; column += step)
    columns_of_panel<kVectors>(row, pairs + 2 * column, depth, sums + column);
}

}  // namespace HWY_NAMESPACE
}  // namespace agro
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace agro {
namespace {
HWY_EXPORT(panel_simd);
}  // namespace

void multiply_panel_of_pairs(const float* row, const uint16_t* pairs, int64_t depth, float* sums) {
  HWY_DYNAMIC_DISPATCH(panel_simd)(row, pairs, depth, sums);
}

}  // namespace agro
#endif  // HWY_ONCE
