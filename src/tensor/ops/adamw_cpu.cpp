#include "tensor/ops/adamw_cpu.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel.h"
#include "tensor/ops/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/ops/adamw_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/ops/row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace agro {
namespace HWY_NAMESPACE {

constexpr int64_t kBlock = 1 << 14;

void adamw_simd(const AdamwStep& s, int64_t n, const float* gradient, float* weight, float* exp_avg,
                float* exp_avg_sq) {
  const RowVec beta1 = hn::Set(kRow, s.beta1), beta2 = hn::Set(kRow, s.beta2);
  const RowVec rest1 = hn::Set(kRow, 1.0F - s.beta1), rest2 = hn::Set(kRow, 1.0F - s.beta2);
  const RowVec decay = hn::Set(kRow, 1.0F - s.learning_rate * s.weight_decay);
  const RowVec step = hn::Set(kRow, s.learning_rate / s.bias1), root_bias = hn::Set(kRow, 1.0F / std::sqrt(s.bias2));
  const RowVec eps = hn::Set(kRow, s.eps), scale = hn::Set(kRow, s.gradient_scale);
  parallel_for((n + kBlock - 1) / kBlock, [&](int64_t block) {
    const int64_t end = std::min(n, (block + 1) * kBlock);
    for (int64_t i = block * kBlock; i < end; i += row_lanes()) {
      const int64_t left = end - i;
      const RowVec g = hn::Mul(load(gradient + i, left), scale);
      const RowVec m = hn::MulAdd(beta1, load(exp_avg + i, left), hn::Mul(rest1, g));
      const RowVec v = hn::MulAdd(beta2, load(exp_avg_sq + i, left), hn::Mul(rest2, hn::Mul(g, g)));
      const RowVec denominator = hn::MulAdd(hn::Sqrt(v), root_bias, eps);
      const RowVec w = hn::Mul(load(weight + i, left), decay);
      store(m, exp_avg + i, left);
      store(v, exp_avg_sq + i, left);
      store(hn::NegMulAdd(step, hn::Div(m, denominator), w), weight + i, left);
    }
  });
}

double sum_of_squares_simd(int64_t n, const float* x) {
  const int64_t blocks = (n + kBlock - 1) / kBlock;
  std::vector<double> partial(static_cast<size_t>(blocks));
  parallel_for(blocks, [&](int64_t block) {
    const int64_t end = std::min(n, (block + 1) * kBlock);
    double sum = 0;
    for (int64_t i = block * kBlock; i < end; i += 256) {
      const int64_t count = std::min<int64_t>(256, end - i);
      sum += static_cast<double>(dot(x + i, x + i, count));
    }
    partial[static_cast<size_t>(block)] = sum;
  });
  double total = 0;
  for (const double sum : partial) total += sum;
  return total;
}

}  // namespace HWY_NAMESPACE
}  // namespace agro
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace agro {
namespace {
HWY_EXPORT(adamw_simd);
HWY_EXPORT(sum_of_squares_simd);
}  // namespace

void adamw_step(const AdamwStep& step, int64_t n, const float* gradient, float* weight, float* exp_avg,
                float* exp_avg_sq) {
  HWY_DYNAMIC_DISPATCH(adamw_simd)(step, n, gradient, weight, exp_avg, exp_avg_sq);
}
double sum_of_squares(int64_t n, const float* x) { return HWY_DYNAMIC_DISPATCH(sum_of_squares_simd)(n, x); }

}  // namespace agro
#endif  // HWY_ONCE
