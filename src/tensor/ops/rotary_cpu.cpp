#include <algorithm>

#include "core/parallel.h"
#include "tensor/ops/attention_cpu.h"
#include "tensor/ops/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/ops/rotary_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/ops/row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace agro {
namespace HWY_NAMESPACE {

void rotary_simd(int64_t n, int64_t heads, int64_t head_dim, const int64_t* positions, const float* table,
                 const float* x, float* out, bool inverse) {
  const int64_t half = head_dim / 2;
  constexpr int64_t kRows = 32;
  parallel_for((n + kRows - 1) / kRows, [&](int64_t task) {
    for (int64_t row = task * kRows; row < std::min(n, (task + 1) * kRows); ++row) {
      const float* cosine = table + positions[row] * head_dim;
      const float* sine = cosine + half;
      for (int64_t head = 0; head < heads; ++head) {
        const float* first = x + (row * heads + head) * head_dim;
        float* to = out + (row * heads + head) * head_dim;
        for_vectors(half, [&](int64_t i, int64_t left) {
          const RowVec c = load(cosine + i, left), s = inverse ? hn::Neg(load(sine + i, left)) : load(sine + i, left);
          const RowVec a = load(first + i, left), b = load(first + half + i, left);
          store(hn::NegMulAdd(b, s, hn::Mul(a, c)), to + i, left);
          store(hn::MulAdd(a, s, hn::Mul(b, c)), to + half + i, left);
        });
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
HWY_EXPORT(rotary_simd);
}  // namespace

void rotary_embedding(int64_t n, int64_t heads, int64_t head_dim, const int64_t* positions, const float* table,
                      const float* x, float* out, bool inverse) {
  HWY_DYNAMIC_DISPATCH(rotary_simd)(n, heads, head_dim, positions, table, x, out, inverse);
}

}  // namespace agro
#endif  // HWY_ONCE
