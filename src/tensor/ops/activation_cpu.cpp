#include "tensor/ops/activation_cpu.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/parallel.h"
#include "tensor/ops/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/ops/activation_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "hwy/contrib/math/math-inl.h"
#include "tensor/ops/row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace agro {
namespace HWY_NAMESPACE {

// Every element sits at the same place of a vector or of a spilled tail and goes through the same instructions, so its
// bits do not depend on where it lies in the tensor.
struct ValueSlope {
  RowVec value, slope;
};

HWY_INLINE RowVec sigmoid(RowVec x) {
  const RowVec one = hn::Set(kRow, 1.0F);
  // Below −87 the exponential would overflow; the quotient there, 2⁻¹²⁶, is 0 for every use.
  return hn::Div(one, hn::Add(one, hn::Exp(kRow, hn::Neg(hn::Max(x, hn::Set(kRow, -87.0F))))));
}

struct Silu {
  static HWY_INLINE ValueSlope apply(RowVec x) {
    const RowVec s = sigmoid(x);
    const RowVec value = hn::Mul(x, s);
    // d/dx x·σ(x) = σ + x·σ·(1 − σ)
    return {value, hn::MulAdd(value, hn::Sub(hn::Set(kRow, 1.0F), s), s)};
  }
};

// gelu(x) ≈ ½ x (1 + tanh(√(2/π)(x + 0.044715 x³))), and ½(1 + tanh u) = σ(2u).
struct GeluTanh {
  static HWY_INLINE ValueSlope apply(RowVec x) {
    constexpr float kScale = 2.0F * 0.7978845608028654F;
    const RowVec square = hn::Mul(x, x);
    const RowVec inner = hn::MulAdd(hn::Set(kRow, 0.044715F * kScale), square, hn::Set(kRow, kScale));
    const RowVec s = sigmoid(hn::Mul(x, inner));
    const RowVec value = hn::Mul(x, s);
    const RowVec inner_slope = hn::MulAdd(hn::Set(kRow, 3.0F * 0.044715F * kScale), square, hn::Set(kRow, kScale));
    return {value, hn::MulAdd(hn::Mul(value, hn::Sub(hn::Set(kRow, 1.0F), s)), inner_slope, s)};
  }
};

struct Relu {
  static HWY_INLINE ValueSlope apply(RowVec x) {
    const RowVec zero = hn::Zero(kRow);
    return {hn::Max(x, zero), hn::IfThenElse(hn::Gt(x, zero), hn::Set(kRow, 1.0F), zero)};
  }
};

// The error function has no vector form here; the models that need it are rare.
struct GeluErf {
  static ValueSlope apply(RowVec x) {
    HWY_ALIGN float in[hn::MaxLanes(RowTag())], value[hn::MaxLanes(RowTag())], slope[hn::MaxLanes(RowTag())];
    hn::Store(x, kRow, in);
    for (int64_t i = 0; i < row_lanes(); ++i) {
      const float cdf = 0.5F * (1.0F + std::erf(in[i] * std::numbers::sqrt2_v<float> / 2.0F));
      value[i] = in[i] * cdf;
      slope[i] = cdf + in[i] * 0.3989422804014327F * std::exp(-0.5F * in[i] * in[i]);
    }
    return {hn::Load(kRow, value), hn::Load(kRow, slope)};
  }
};

template <class F>
void dispatch(Activation act, F&& f) {
  switch (act) {
    case Activation::kSilu:
      return f(Silu{});
    case Activation::kGeluTanh:
      return f(GeluTanh{});
    case Activation::kGelu:
      return f(GeluErf{});
    case Activation::kRelu:
      return f(Relu{});
  }
}

constexpr int64_t kTask = 8192;  // elements; a multiple of every vector length

template <class F>
void for_blocks(int64_t n, F&& f) {
  parallel_for((n + kTask - 1) / kTask, [&](int64_t task) {
    const int64_t begin = task * kTask, end = std::min(n, begin + kTask);
    for (int64_t i = begin; i < end; i += row_lanes()) f(i, end - i);
  });
}

void activation_forward_simd(Activation act, int64_t n, const float* x, float* y) {
  dispatch(act, [&](auto a) {
    for_blocks(n, [&](int64_t i, int64_t left) { store(a.apply(load(x + i, left)).value, y + i, left); });
  });
}

void activation_backward_simd(Activation act, int64_t n, const float* dy, const float* x, float* dx) {
  dispatch(act, [&](auto a) {
    for_blocks(n, [&](int64_t i, int64_t left) {
      store(hn::Mul(load(dy + i, left), a.apply(load(x + i, left)).slope), dx + i, left);
    });
  });
}

void gated_forward_simd(Activation act, int64_t n, const float* gate, const float* up, float* y) {
  dispatch(act, [&](auto a) {
    for_blocks(n, [&](int64_t i, int64_t left) {
      store(hn::Mul(a.apply(load(gate + i, left)).value, load(up + i, left)), y + i, left);
    });
  });
}

void gated_backward_simd(Activation act, int64_t n, const float* dy, const float* gate, const float* up, float* dgate,
                         float* dup) {
  dispatch(act, [&](auto a) {
    for_blocks(n, [&](int64_t i, int64_t left) {
      const RowVec grad = load(dy + i, left);
      const ValueSlope g = a.apply(load(gate + i, left));
      store(hn::Mul(grad, g.value), dup + i, left);
      store(hn::Mul(hn::Mul(grad, load(up + i, left)), g.slope), dgate + i, left);
    });
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace agro
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace agro {
namespace {
HWY_EXPORT(activation_forward_simd);
HWY_EXPORT(activation_backward_simd);
HWY_EXPORT(gated_forward_simd);
HWY_EXPORT(gated_backward_simd);
}  // namespace

void activation_forward(Activation act, int64_t n, const float* x, float* y) {
  HWY_DYNAMIC_DISPATCH(activation_forward_simd)(act, n, x, y);
}
void activation_backward(Activation act, int64_t n, const float* dy, const float* x, float* dx) {
  HWY_DYNAMIC_DISPATCH(activation_backward_simd)(act, n, dy, x, dx);
}
void gated_forward(Activation act, int64_t n, const float* gate, const float* up, float* y) {
  HWY_DYNAMIC_DISPATCH(gated_forward_simd)(act, n, gate, up, y);
}
void gated_backward(Activation act, int64_t n, const float* dy, const float* gate, const float* up, float* dgate,
                    float* dup) {
  HWY_DYNAMIC_DISPATCH(gated_backward_simd)(act, n, dy, gate, up, dgate, dup);
}

}  // namespace agro
#endif  // HWY_ONCE
