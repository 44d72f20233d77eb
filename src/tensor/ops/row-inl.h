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

/// out[d] = Σ_j weight[j] · rows[j · stride + d] (+ out[d] if accumulate), j ascending.
HWY_INLINE void weighted_sum(const float* weight, int64_t count, const float* rows, int64_t stride, int64_t n,
                             float* out, bool accumulate) {
  const int64_t lanes = row_lanes();
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    RowVec s0 = hn::Zero(kRow), s1 = s0, s2 = s0, s3 = s0;
    if (accumulate) {
      s0 = hn::LoadU(kRow, out + i);
      s1 = hn::LoadU(kRow, out + i + lanes);
      s2 = hn::LoadU(kRow, out + i + 2 * lanes);
      s3 = hn::LoadU(kRow, out + i + 3 * lanes);
    }
    const float* row = rows + i;
    for (int64_t j = 0; j < count; ++j, row += stride) {
      const RowVec w = hn::Set(kRow, weight[j]);
      s0 = hn::MulAdd(w, hn::LoadU(kRow, row), s0);
      s1 = hn::MulAdd(w, hn::LoadU(kRow, row + lanes), s1);
      s2 = hn::MulAdd(w, hn::LoadU(kRow, row + 2 * lanes), s2);
      s3 = hn::MulAdd(w, hn::LoadU(kRow, row + 3 * lanes), s3);
    }
    hn::StoreU(s0, kRow, out + i);
    hn::StoreU(s1, kRow, out + i + lanes);
    hn::StoreU(s2, kRow, out + i + 2 * lanes);
    hn::StoreU(s3, kRow, out + i + 3 * lanes);
  }
  for (; i < n; i += lanes) {
    RowVec s = accumulate ? load(out + i, n - i) : hn::Zero(kRow);
    const float* row = rows + i;
    for (int64_t j = 0; j < count; ++j, row += stride) s = hn::MulAdd(hn::Set(kRow, weight[j]), load(row, n - i), s);
    store(s, out + i, n - i);
  }
}

/// score[j] = scale · (q · rows[j · stride …]), j < count.
HWY_INLINE void scaled_dots(const float* q, const float* rows, int64_t stride, int64_t count, int64_t n, float scale,
                            float* score) {
  int64_t j = 0;
  for (; j + 4 <= count; j += 4) {
    const float* row = rows + j * stride;
    RowVec s0 = hn::Zero(kRow), s1 = s0, s2 = s0, s3 = s0;
    for_vectors(n, [&](int64_t i, int64_t left) {
      const RowVec x = load(q + i, left);
      s0 = hn::MulAdd(x, load(row + i, left), s0);
      s1 = hn::MulAdd(x, load(row + stride + i, left), s1);
      s2 = hn::MulAdd(x, load(row + 2 * stride + i, left), s2);
      s3 = hn::MulAdd(x, load(row + 3 * stride + i, left), s3);
    });
    score[j] = scale * sum_lanes(s0);
    score[j + 1] = scale * sum_lanes(s1);
    score[j + 2] = scale * sum_lanes(s2);
    score[j + 3] = scale * sum_lanes(s3);
  }
  for (; j < count; ++j) score[j] = scale * dot(q, rows + j * stride, n);
}

}  // namespace HWY_NAMESPACE
}  // namespace agro
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
