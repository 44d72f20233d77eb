// Vector helpers for rows of float32, compiled once per instruction set (Highway's per-target include guard).
// Every reduction has one fixed order that depends only on the row's length, so equal rows give equal bits.
#if defined(AGRO_TENSOR_OPS_ROW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef AGRO_TENSOR_OPS_ROW_INL_H_
#undef AGRO_TENSOR_OPS_ROW_INL_H_
#else
#define AGRO_TENSOR_OPS_ROW_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace agro {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using RowTag = hn::ScalableTag<float>;
using RowVec = hn::Vec<RowTag>;
inline constexpr RowTag kRow{};

HWY_INLINE int64_t row_lanes() { return static_cast<int64_t>(hn::Lanes(kRow)); }

/// min(lanes, count) floats, the rest zero. Never reads past p + count.
HWY_INLINE RowVec load(const float* p, int64_t count) {
  if (HWY_LIKELY(count >= row_lanes())) return hn::LoadU(kRow, p);
  HWY_ALIGN float spill[hn::MaxLanes(RowTag())] = {};
  for (int64_t i = 0; i < count; ++i) spill[i] = p[i];
  return hn::Load(kRow, spill);
}

HWY_INLINE void store(RowVec v, float* p, int64_t count) {
  if (HWY_LIKELY(count >= row_lanes())) {
    hn::StoreU(v, kRow, p);
    return;
  }
  HWY_ALIGN float spill[hn::MaxLanes(RowTag())];
  hn::Store(v, kRow, spill);
  for (int64_t i = 0; i < count; ++i) p[i] = spill[i];
}

HWY_INLINE float sum_lanes(RowVec v) { return hn::GetLane(hn::SumOfLanes(kRow, v)); }

/// Largest of n ≥ 1 floats.
HWY_INLINE float row_max(const float* x, int64_t n) {
  const int64_t lanes = row_lanes();
  float max = x[0];
  int64_t i = 0;
  if (n >= lanes) {
    RowVec m = hn::LoadU(kRow, x);
    for (i = lanes; i + lanes <= n; i += lanes) m = hn::Max(m, hn::LoadU(kRow, x + i));
    max = hn::GetLane(hn::MaxOfLanes(kRow, m));
  }
  for (; i < n; ++i) max = x[i] > max ? x[i] : max;
  return max;
}

/// Calls f(i, count) for i = 0, lanes, 2·lanes … with the number of elements left.
template <class F>
HWY_INLINE void for_vectors(int64_t n, F&& f) {
  for (int64_t i = 0; i < n; i += row_lanes()) f(i, n - i);
}

HWY_INLINE float dot(const float* a, const float* b, int64_t n) {
  RowVec s = hn::Zero(kRow);
  for_vectors(n, [&](int64_t i, int64_t left) { s = hn::MulAdd(load(a + i, left), load(b + i, left), s); });
  return sum_lanes(s);
}

/// out += x · a
HWY_INLINE void axpy(float x, const float* a, float* out, int64_t n) {
  const RowVec scale = hn::Set(kRow, x);
  for_vectors(n, [&](int64_t i, int64_t left) {
    store(hn::MulAdd(scale, load(a + i, left), load(out + i, left)), out + i, left);
  });
}

/// out[d] += Σ_j weight[j · weight_stride] · rows[j · stride + d], j ascending.
struct WeightedSum {
  const float* weight;
  int64_t weight_stride;
  const float* rows;
  float* out;
};

/// kVectors vectors of columns of kSums sums over rows of one stride, side by side: enough chains of multiply-adds to
/// hide their latency.
template <int kSums, int kVectors>
HWY_INLINE void add_columns(const WeightedSum* sums, int64_t count, int64_t stride, int64_t column) {
  const int64_t lanes = row_lanes();
  // Unrolled, so that the sums stay in registers.
  const auto each = [](auto&& f) {
    HWY_UNROLL(4)
    for (int k = 0; k < kSums; ++k) {
      HWY_UNROLL(4)
      for (int v = 0; v < kVectors; ++v) f(k, v);
    }
  };
  RowVec s[kSums][kVectors];
  const float* weight[kSums];
  const float* row[kSums];
  each([&](int k, int v) { s[k][v] = hn::LoadU(kRow, sums[k].out + column + v * lanes); });
  HWY_UNROLL(4)
  for (int k = 0; k < kSums; ++k) weight[k] = sums[k].weight, row[k] = sums[k].rows + column;
  for (int64_t j = 0; j < count; ++j) {
    HWY_UNROLL(4)
    for (int k = 0; k < kSums; ++k) {
      const RowVec w = hn::Set(kRow, *weight[k]);
      HWY_UNROLL(4)
      for (int v = 0; v < kVectors; ++v) s[k][v] = hn::MulAdd(w, hn::LoadU(kRow, row[k] + v * lanes), s[k][v]);
      weight[k] += sums[k].weight_stride;
      row[k] += stride;
    }
  }
  each([&](int k, int v) { hn::StoreU(s[k][v], kRow, sums[k].out + column + v * lanes); });
}

/// Does kSums weighted sums over `count` rows of n floats.
template <int kSums>
HWY_INLINE void add_weighted(const WeightedSum* sums, int64_t count, int64_t stride, int64_t n) {
  if (count <= 0) return;
  const int64_t lanes = row_lanes();
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) add_columns<kSums, 4>(sums, count, stride, i);
  if (i + 2 * lanes <= n) {
    add_columns<kSums, 2>(sums, count, stride, i);
    i += 2 * lanes;
  }
  for (; i < n; i += lanes) {
    for (int k = 0; k < kSums; ++k) {
      RowVec s = load(sums[k].out + i, n - i);
      for (int64_t j = 0; j < count; ++j)
        s = hn::MulAdd(hn::Set(kRow, sums[k].weight[j * sums[k].weight_stride]),
                       load(sums[k].rows + j * stride + i, n - i), s);
      store(s, sums[k].out + i, n - i);
    }
  }
}

/// out[k] = scale · (sum of the lanes of sk), in the order of sum_lanes.
HWY_INLINE void scaled_sums(RowVec s0, RowVec s1, RowVec s2, RowVec s3, float scale, float* out) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  // The four additions that sum_lanes does one after the other, for four vectors at once.
  const auto quarter = [](RowVec v) {
    const hn::Half<RowTag> half;
    const auto sum = hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v));
#if HWY_TARGET == HWY_AVX3
    const hn::Half<decltype(half)> part;
    return hn::Add(hn::LowerHalf(part, sum), hn::UpperHalf(part, sum));
#else
    return sum;
#endif
  };
  const hn::FixedTag<float, 4> four;
  const auto a = quarter(s0), b = quarter(s1), c = quarter(s2), d = quarter(s3);
  const auto ab = hn::Add(hn::InterleaveLower(four, a, b), hn::InterleaveUpper(four, a, b));
  const auto cd = hn::Add(hn::InterleaveLower(four, c, d), hn::InterleaveUpper(four, c, d));
  const auto sums = hn::Add(hn::ConcatLowerLower(four, cd, ab), hn::ConcatUpperUpper(four, cd, ab));
  hn::StoreU(hn::Mul(hn::Set(four, scale), sums), four, out);
#else
  out[0] = scale * sum_lanes(s0);
  out[1] = scale * sum_lanes(s1);
  out[2] = scale * sum_lanes(s2);
  out[3] = scale * sum_lanes(s3);
#endif
}

/// score[j] = scale · (q · rows[j · stride …]), j < count.
HWY_INLINE void scaled_dots(const float* q, const float* rows, int64_t stride, int64_t count, int64_t n, float scale,
                            float* score) {
  const int64_t lanes = row_lanes();
  int64_t j = 0;
  for (; j + 4 <= count; j += 4) {
    const float* row = rows + j * stride;
    RowVec s0 = hn::Zero(kRow), s1 = s0, s2 = s0, s3 = s0;
    // Written out: a body passed to for_vectors is not always inlined, and then keeps the sums in memory.
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) {
      const RowVec x = hn::LoadU(kRow, q + i);
      s0 = hn::MulAdd(x, hn::LoadU(kRow, row + i), s0);
      s1 = hn::MulAdd(x, hn::LoadU(kRow, row + stride + i), s1);
      s2 = hn::MulAdd(x, hn::LoadU(kRow, row + 2 * stride + i), s2);
      s3 = hn::MulAdd(x, hn::LoadU(kRow, row + 3 * stride + i), s3);
    }
    if (i < n) {
      const RowVec x = load(q + i, n - i);
      s0 = hn::MulAdd(x, load(row + i, n - i), s0);
      s1 = hn::MulAdd(x, load(row + stride + i, n - i), s1);
      s2 = hn::MulAdd(x, load(row + 2 * stride + i, n - i), s2);
      s3 = hn::MulAdd(x, load(row + 3 * stride + i, n - i), s3);
    }
    scaled_sums(s0, s1, s2, s3, scale, score + j);
  }
  for (; j < count; ++j) score[j] = scale * dot(q, rows + j * stride, n);
}

}  // namespace HWY_NAMESPACE
}  // namespace agro
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
