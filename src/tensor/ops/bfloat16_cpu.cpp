#include "tensor/ops/bfloat16_cpu.h"

#include <hwy/cache_control.h>

#include <algorithm>
#include <cstring>

#include "tensor/ops/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/ops/bfloat16_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace agro {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A tile of 16 lines × 32 k is 16 lines × 16 pairs: square, so that it can be turned in place.
constexpr int64_t kLines = 16, kK = 32, kPairs = kK / 2;

using DF = hn::CappedTag<float, kLines>;
using DU = hn::RebindToUnsigned<DF>;
using DH = hn::Rebind<uint16_t, DF>;
using VU = hn::Vec<DU>;

/// The bits of bfloat16(x) in the upper half of each 32-bit lane; the lower half is arbitrary.
HWY_INLINE VU upper_bits(const float* p) {
  const auto x = hn::LoadU(DF(), p);
  const VU bits = hn::BitCast(DU(), x);
  const VU odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(DU(), 1U));
  const VU rounded = hn::Add(bits, hn::Add(odd, hn::Set(DU(), 0x7FFFU)));
  const VU quiet = hn::Or(bits, hn::Set(DU(), 0x00400000U));
  return hn::IfThenElse(hn::RebindMask(DU(), hn::IsNaN(x)), quiet, rounded);
}
HWY_INLINE VU upper_bits(const uint16_t* p) { return hn::ShiftLeft<16>(hn::PromoteTo(DU(), hn::LoadU(DH(), p))); }

HWY_INLINE void store_upper(VU bits, uint16_t* out) {
  const hn::RebindToSigned<DU> signed_lanes;
  hn::StoreU(hn::DemoteTo(DH(), hn::BitCast(signed_lanes, hn::ShiftRight<16>(bits))), DH(), out);
}

/// Lines of consecutive k → [line][k].
template <class T>
HWY_INLINE void round_lines(const T* source, int64_t line_stride, uint16_t* out, int64_t out_stride) {
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(DF()));
  for (int64_t line = 0; line < kLines; ++line)
    for (int64_t k = 0; k < kK; k += lanes)
      store_upper(upper_bits(source + line * line_stride + k), out + line * out_stride + k);
}

/// Consecutive lines for each k → [pair][line][2].
template <class T>
HWY_INLINE void round_columns(const T* source, int64_t k_stride, uint16_t* out, int64_t out_stride) {
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(DF()));
  for (int64_t pair = 0; pair < kPairs; ++pair)
    for (int64_t line = 0; line < kLines; line += lanes) {
      const T* even = source + 2 * pair * k_stride + line;
      const VU high = hn::And(upper_bits(even + k_stride), hn::Set(DU(), 0xFFFF0000U));
      const VU both = hn::Or(hn::ShiftRight<16>(upper_bits(even)), high);
      HWY_ALIGN uint32_t pairs[kLines];
      hn::Store(both, DU(), pairs);
      std::memcpy(out + pair * out_stride + 2 * line, pairs, static_cast<size_t>(lanes) * sizeof(uint32_t));
    }
}

/// Transposes the tile's 16 × 16 pairs.
#if HWY_TARGET == HWY_SCALAR
HWY_INLINE void turn(const uint16_t* tile, uint16_t* out, int64_t out_stride) {
  for (int64_t i = 0; i < kPairs; ++i)
    for (int64_t j = 0; j < kPairs; ++j) std::copy_n(tile + i * 2 * kPairs + 2 * j, 2, out + j * out_stride + 2 * i);
}
#else
// Four by four.
HWY_INLINE void turn(const uint16_t* tile, uint16_t* out, int64_t out_stride) {
  const hn::CappedTag<uint16_t, 8> halves;
  const hn::Repartition<uint32_t, decltype(halves)> pairs;
  const hn::Repartition<uint64_t, decltype(halves)> fours;
  for (int64_t i = 0; i < kPairs; i += 4)
    for (int64_t j = 0; j < kPairs; j += 4) {
      const auto row = [&](int64_t r) {
        return hn::BitCast(pairs, hn::Load(halves, tile + (i + r) * 2 * kPairs + 2 * j));
      };
      const auto a = row(0), b = row(1), c = row(2), d = row(3);
      const auto ab_low = hn::BitCast(fours, hn::InterleaveLower(pairs, a, b)),
                 ab_high = hn::BitCast(fours, hn::InterleaveUpper(pairs, a, b)),
                 cd_low = hn::BitCast(fours, hn::InterleaveLower(pairs, c, d)),
                 cd_high = hn::BitCast(fours, hn::InterleaveUpper(pairs, c, d));
      const auto store = [&](auto v, int64_t r) {
        hn::StoreU(hn::BitCast(halves, v), halves, out + (j + r) * out_stride + 2 * i);
      };
      store(hn::InterleaveLower(fours, ab_low, cd_low), 0);
      store(hn::InterleaveUpper(fours, ab_low, cd_low), 1);
      store(hn::InterleaveLower(fours, ab_high, cd_high), 2);
      store(hn::InterleaveUpper(fours, ab_high, cd_high), 3);
    }
}
#endif

/// Fetches the tile `kK` further in k, which pack() mostly takes next: rows of a matrix lie pages apart, where the CPU
/// foresees nothing.
template <class T>
HWY_INLINE void fetch_tile(const T* tile, bool by_lines, int64_t stride) {
  constexpr int64_t kLine = 64 / sizeof(T);
  if (by_lines)
    for (int64_t line = 0; line < kLines; ++line)
      for (int64_t k = 0; k < kK; k += kLine) hwy::Prefetch(tile + line * stride + kK + k);
  else
    for (int64_t k = 0; k < kK; ++k) hwy::Prefetch(tile + (k + kK) * stride);
}

template <class T>
void pack(const Lines<T>& source, PairOrder order, int64_t padded_lines, int64_t padded_k, uint16_t* out) {
  const int64_t out_stride = order == PairOrder::kLineMajor ? padded_k : 2 * padded_lines;
  HWY_ALIGN T edge[kLines * kK];
  HWY_ALIGN uint16_t tile[kLines * kK];
  const bool by_lines = source.k_stride == 1;
  const auto pack_tile = [&](int64_t line, int64_t k) {
    const T* data = source.data + line * source.line_stride + k * source.k_stride;
    int64_t line_stride = source.line_stride, k_stride = source.k_stride;
    fetch_tile(data, by_lines, by_lines ? line_stride : k_stride);
    const int64_t lines = std::min(kLines, source.lines - line), ks = std::min(kK, source.k - k);
    if (lines < kLines || ks < kK || (line_stride != 1 && k_stride != 1)) {
      std::fill(edge, edge + kLines * kK, T{});
      for (int64_t l = 0; l < lines; ++l)
        for (int64_t i = 0; i < ks; ++i) edge[l * kK + i] = data[l * line_stride + i * k_stride];
      data = edge, line_stride = kK, k_stride = 1;
    }
    const PairOrder natural = k_stride == 1 ? PairOrder::kLineMajor : PairOrder::kPairMajor;
    uint16_t* destination =
        order == PairOrder::kLineMajor ? out + line * out_stride + k : out + k / 2 * out_stride + 2 * line;
    uint16_t* rounded = natural == order ? destination : tile;
    const int64_t stride = natural == order ? out_stride : kK;
    if (natural == PairOrder::kLineMajor)
      round_lines(data, line_stride, rounded, stride);
    else
      round_columns(data, k_stride, rounded, stride);
    if (natural != order) turn(tile, destination, out_stride);
  };
  // As the source lies in memory.
  if (by_lines)
    for (int64_t line = 0; line < padded_lines; line += kLines)
      for (int64_t k = 0; k < padded_k; k += kK) pack_tile(line, k);
  else
    for (int64_t k = 0; k < padded_k; k += kK)
      for (int64_t line = 0; line < padded_lines; line += kLines) pack_tile(line, k);
}

void pack_float32_simd(const Lines<float>& source, PairOrder order, int64_t padded_lines, int64_t padded_k,
                       uint16_t* out) {
  pack(source, order, padded_lines, padded_k, out);
}
void pack_bfloat16_simd(const Lines<uint16_t>& source, PairOrder order, int64_t padded_lines, int64_t padded_k,
                        uint16_t* out) {
  pack(source, order, padded_lines, padded_k, out);
}

template <class Store>
HWY_INLINE void round_all(int64_t n, const float* x, Store&& store) {
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(DF()));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store(upper_bits(x + i), i, lanes);
  if (i == n) return;
  HWY_ALIGN float rest[kLines] = {};
  std::copy(x + i, x + n, rest);
  store(upper_bits(rest), i, n - i);
}

void round_to_float32_simd(int64_t n, const float* x, float* out) {
  round_all(n, x, [&](VU bits, int64_t i, int64_t count) {
    const auto rounded = hn::BitCast(DF(), hn::And(bits, hn::Set(DU(), 0xFFFF0000U)));
    HWY_ALIGN float lanes[kLines];
    hn::Store(rounded, DF(), lanes);
    std::copy(lanes, lanes + count, out + i);
  });
}

void round_to_bits_simd(int64_t n, const float* x, uint16_t* out) {
  round_all(n, x, [&](VU bits, int64_t i, int64_t count) {
    HWY_ALIGN uint16_t lanes[kLines];
    store_upper(bits, lanes);
    std::copy(lanes, lanes + count, out + i);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace agro
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace agro {
namespace {
HWY_EXPORT(pack_float32_simd);
HWY_EXPORT(pack_bfloat16_simd);
HWY_EXPORT(round_to_float32_simd);
HWY_EXPORT(round_to_bits_simd);
}  // namespace

void pack_bfloat16(const Lines<float>& source, PairOrder order, int64_t padded_lines, int64_t padded_k, uint16_t* out) {
  HWY_DYNAMIC_DISPATCH(pack_float32_simd)(source, order, padded_lines, padded_k, out);
}
void pack_bfloat16(const Lines<uint16_t>& source, PairOrder order, int64_t padded_lines, int64_t padded_k,
                   uint16_t* out) {
  HWY_DYNAMIC_DISPATCH(pack_bfloat16_simd)(source, order, padded_lines, padded_k, out);
}
void round_to_bfloat16(int64_t n, const float* x, float* out) {
  HWY_DYNAMIC_DISPATCH(round_to_float32_simd)(n, x, out);
}
void round_to_bfloat16(int64_t n, const float* x, uint16_t* out) {
  HWY_DYNAMIC_DISPATCH(round_to_bits_simd)(n, x, out);
}

}  // namespace agro
#endif  // HWY_ONCE
