#include "tensor/machine_probe_cpu.h"

#include "tensor/ops/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/machine_probe_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace agro {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

std::string_view target_name() { return hwy::TargetName(HWY_TARGET); }

// Two units with a latency of four cycles need eight chains; twelve and the two factors fit into 16 registers.
constexpr int kChains = 12;

int64_t multiply_add_chains_simd(int64_t rounds, float* sink) {
  const D d;
  // x = x / 2 + 1 stays near 2: no overflow, no denormal numbers.
  const V half = hn::Set(d, 0.5F), one = hn::Set(d, 1.0F);
  V x[kChains];
  for (int c = 0; c < kChains; ++c) x[c] = hn::Set(d, static_cast<float>(c));
  for (int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) x[c] = hn::MulAdd(x[c], half, one);
  }
  V sum = x[0];
  for (int c = 1; c < kChains; ++c) sum = hn::Add(sum, x[c]);
  *sink = hn::GetLane(hn::SumOfLanes(d, sum));
  return rounds * kChains * static_cast<int64_t>(hn::Lanes(d)) * 2;
}

float streamed_sum_simd(int64_t n, const float* HWY_RESTRICT x) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  V sum[8];
  for (V& s : sum) s = hn::Zero(d);
  for (int64_t i = 0; i < n; i += 8 * lanes) {
#pragma GCC unroll 8
    for (int s = 0; s < 8; ++s) sum[s] = hn::Add(sum[s], hn::LoadU(d, x + i + s * lanes));
  }
  for (int s = 1; s < 8; ++s) sum[0] = hn::Add(sum[0], sum[s]);
  return hn::GetLane(hn::SumOfLanes(d, sum[0]));
}

}  // namespace HWY_NAMESPACE
}  // namespace agro
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace agro {
namespace {
HWY_EXPORT(target_name);
HWY_EXPORT(multiply_add_chains_simd);
HWY_EXPORT(streamed_sum_simd);
}  // namespace

std::string_view kernel_target() { return HWY_DYNAMIC_DISPATCH(target_name)(); }

int64_t multiply_add_chains(int64_t rounds, float* sink) {
  return HWY_DYNAMIC_DISPATCH(multiply_add_chains_simd)(rounds, sink);
}

float streamed_sum(int64_t n, const float* x) { return HWY_DYNAMIC_DISPATCH(streamed_sum_simd)(n, x); }

}  // namespace agro
#endif  // HWY_ONCE
