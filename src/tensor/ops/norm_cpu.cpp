#include "tensor/ops/norm_cpu.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel.h"
#include "tensor/ops/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/ops/norm_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/ops/row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace agro {
namespace HWY_NAMESPACE {

constexpr int64_t kRowsPerTask = 16;

template <class F>
void for_rows(int64_t n, F&& f) {
  parallel_for((n + kRowsPerTask - 1) / kRowsPerTask, [&](int64_t task) {
    for (int64_t row = task * kRowsPerTask; row < std::min(n, (task + 1) * kRowsPerTask); ++row) f(row);
  });
}

void rms_norm_forward_simd(const NormShape& s, const float* x, const float* weight, float* y, float* inverse_rms) {
  for_rows(s.n, [&](int64_t row) {
    const float* in = x + row * s.c;
    const float inverse = 1.0F / std::sqrt(dot(in, in, s.c) / static_cast<float>(s.c) + s.eps);
    if (inverse_rms != nullptr) inverse_rms[row] = inverse;
    const RowVec scale = hn::Set(kRow, inverse);
    for_vectors(s.c, [&](int64_t i, int64_t left) {
      store(hn::Mul(hn::Mul(load(in + i, left), scale), load(weight + i, left)), y + row * s.c + i, left);
    });
  });
}

void layer_norm_forward_simd(const NormShape& s, const float* x, const float* weight, const float* bias, float* y,
                             float* mean, float* inverse_std) {
  for_rows(s.n, [&](int64_t row) {
    const float* in = x + row * s.c;
    RowVec sum = hn::Zero(kRow);
    for_vectors(s.c, [&](int64_t i, int64_t left) { sum = hn::Add(sum, load(in + i, left)); });
    const float mu = sum_lanes(sum) / static_cast<float>(s.c);
    float variance = 0;
    {
      RowVec squares = hn::Zero(kRow);
      const RowVec m = hn::Set(kRow, mu);
      for_vectors(s.c, [&](int64_t i, int64_t left) {
        const RowVec centred = hn::Sub(load(in + i, left), m);
        // A tail vector's empty lanes hold −mu after centring: they must not count.
        const auto mask = hn::FirstN(kRow, static_cast<size_t>(std::min(left, row_lanes())));
        squares = hn::Add(squares, hn::IfThenElseZero(mask, hn::Mul(centred, centred)));
      });
      variance = sum_lanes(squares) / static_cast<float>(s.c);
    }
    const float inverse = 1.0F / std::sqrt(variance + s.eps);
    if (mean != nullptr) mean[row] = mu;
    if (inverse_std != nullptr) inverse_std[row] = inverse;
    const RowVec m = hn::Set(kRow, mu), scale = hn::Set(kRow, inverse);
    for_vectors(s.c, [&](int64_t i, int64_t left) {
      const RowVec normal = hn::Mul(hn::Sub(load(in + i, left), m), scale);
      store(hn::MulAdd(normal, load(weight + i, left), load(bias + i, left)), y + row * s.c + i, left);
    });
  });
}

// Per-chunk partial sums are added in chunk order: independent of the number of threads.
constexpr int64_t kChunk = 64;

template <class F>
void column_reduce(int64_t n, int64_t c, int64_t outputs, float* const* out, F&& add_row) {
  const int64_t chunks = (n + kChunk - 1) / kChunk;
  std::vector<float> partial(static_cast<size_t>(chunks * outputs * c), 0.0F);
  parallel_for(chunks, [&](int64_t chunk) {
    float* sums = partial.data() + chunk * outputs * c;
    for (int64_t row = chunk * kChunk; row < std::min(n, (chunk + 1) * kChunk); ++row) add_row(row, sums);
  });
  for (int64_t o = 0; o < outputs; ++o) {
    std::fill(out[o], out[o] + c, 0.0F);
    for (int64_t chunk = 0; chunk < chunks; ++chunk) axpy(1.0F, partial.data() + (chunk * outputs + o) * c, out[o], c);
  }
}

void rms_norm_backward_simd(const NormShape& s, const float* dy, const float* x, const float* weight,
                            const float* inverse_rms, float* dx) {
  for_rows(s.n, [&](int64_t row) {
    const float* g = dy + row * s.c;
    const float* in = x + row * s.c;
    const RowVec inverse = hn::Set(kRow, inverse_rms[row]);
    RowVec projection = hn::Zero(kRow);
    for_vectors(s.c, [&](int64_t i, int64_t left) {
      const RowVec normal = hn::Mul(load(in + i, left), inverse);
      projection = hn::MulAdd(hn::Mul(load(g + i, left), load(weight + i, left)), normal, projection);
    });
    const RowVec mean = hn::Set(kRow, sum_lanes(projection) / static_cast<float>(s.c));
    for_vectors(s.c, [&](int64_t i, int64_t left) {
      const RowVec normal = hn::Mul(load(in + i, left), inverse);
      const RowVec grad = hn::Mul(load(g + i, left), load(weight + i, left));
      store(hn::Mul(inverse, hn::NegMulAdd(normal, mean, grad)), dx + row * s.c + i, left);
    });
  });
}

void rms_norm_weight_gradient_simd(const NormShape& s, const float* dy, const float* x, const float* inverse_rms,
                                   float* dweight) {
  float* const outputs[] = {dweight};
  column_reduce(s.n, s.c, 1, outputs, [&](int64_t row, float* dw) {
    const RowVec inverse = hn::Set(kRow, inverse_rms[row]);
    for_vectors(s.c, [&](int64_t i, int64_t left) {
      const RowVec normal = hn::Mul(load(x + row * s.c + i, left), inverse);
      store(hn::MulAdd(load(dy + row * s.c + i, left), normal, load(dw + i, left)), dw + i, left);
    });
  });
}

void layer_norm_backward_simd(const NormShape& s, const float* dy, const float* x, const float* weight,
                              const float* mean, const float* inverse_std, float* dx) {
  for_rows(s.n, [&](int64_t row) {
    const float* g = dy + row * s.c;
    const float* in = x + row * s.c;
    const RowVec m = hn::Set(kRow, mean[row]), inverse = hn::Set(kRow, inverse_std[row]);
    RowVec projection = hn::Zero(kRow), total = hn::Zero(kRow);
    for_vectors(s.c, [&](int64_t i, int64_t left) {
      const RowVec normal = hn::Mul(hn::Sub(load(in + i, left), m), inverse);
      const RowVec weighted = hn::Mul(load(g + i, left), load(weight + i, left));
      projection = hn::MulAdd(weighted, normal, projection);
      total = hn::Add(total, weighted);
    });
    const RowVec mean_projection = hn::Set(kRow, sum_lanes(projection) / static_cast<float>(s.c));
    const RowVec mean_total = hn::Set(kRow, sum_lanes(total) / static_cast<float>(s.c));
    for_vectors(s.c, [&](int64_t i, int64_t left) {
      const RowVec normal = hn::Mul(hn::Sub(load(in + i, left), m), inverse);
      const RowVec weighted = hn::Mul(load(g + i, left), load(weight + i, left));
      store(hn::Mul(inverse, hn::NegMulAdd(normal, mean_projection, hn::Sub(weighted, mean_total))), dx + row * s.c + i,
            left);
    });
  });
}

void layer_norm_weight_gradient_simd(const NormShape& s, const float* dy, const float* x, const float* mean,
                                     const float* inverse_std, float* dweight, float* dbias) {
  float* const outputs[] = {dweight, dbias};
  column_reduce(s.n, s.c, 2, outputs, [&](int64_t row, float* dw) {
    float* db = dw + s.c;
    const RowVec m = hn::Set(kRow, mean[row]), inverse = hn::Set(kRow, inverse_std[row]);
    for_vectors(s.c, [&](int64_t i, int64_t left) {
      const RowVec normal = hn::Mul(hn::Sub(load(x + row * s.c + i, left), m), inverse);
      const RowVec grad = load(dy + row * s.c + i, left);
      store(hn::MulAdd(grad, normal, load(dw + i, left)), dw + i, left);
      store(hn::Add(grad, load(db + i, left)), db + i, left);
    });
  });
}

void column_sum_simd(int64_t n, int64_t c, const float* x, float* out) {
  float* const outputs[] = {out};
  column_reduce(n, c, 1, outputs, [&](int64_t row, float* sums) { axpy(1.0F, x + row * c, sums, c); });
}

}  // namespace HWY_NAMESPACE
}  // namespace agro
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace agro {
namespace {
HWY_EXPORT(rms_norm_forward_simd);
HWY_EXPORT(rms_norm_backward_simd);
HWY_EXPORT(rms_norm_weight_gradient_simd);
HWY_EXPORT(layer_norm_forward_simd);
HWY_EXPORT(layer_norm_backward_simd);
HWY_EXPORT(layer_norm_weight_gradient_simd);
HWY_EXPORT(column_sum_simd);
}  // namespace

void rms_norm_forward(const NormShape& shape, const float* x, const float* weight, float* y, float* inverse_rms) {
  HWY_DYNAMIC_DISPATCH(rms_norm_forward_simd)(shape, x, weight, y, inverse_rms);
}
void rms_norm_backward(const NormShape& shape, const float* dy, const float* x, const float* weight,
                       const float* inverse_rms, float* dx) {
  HWY_DYNAMIC_DISPATCH(rms_norm_backward_simd)(shape, dy, x, weight, inverse_rms, dx);
}
void rms_norm_weight_gradient(const NormShape& shape, const float* dy, const float* x, const float* inverse_rms,
                              float* dweight) {
  HWY_DYNAMIC_DISPATCH(rms_norm_weight_gradient_simd)(shape, dy, x, inverse_rms, dweight);
}
void layer_norm_forward(const NormShape& shape, const float* x, const float* weight, const float* bias, float* y,
                        float* mean, float* inverse_std) {
  HWY_DYNAMIC_DISPATCH(layer_norm_forward_simd)(shape, x, weight, bias, y, mean, inverse_std);
}
void layer_norm_backward(const NormShape& shape, const float* dy, const float* x, const float* weight,
                         const float* mean, const float* inverse_std, float* dx) {
  HWY_DYNAMIC_DISPATCH(layer_norm_backward_simd)(shape, dy, x, weight, mean, inverse_std, dx);
}
void layer_norm_weight_gradient(const NormShape& shape, const float* dy, const float* x, const float* mean,
                                const float* inverse_std, float* dweight, float* dbias) {
  HWY_DYNAMIC_DISPATCH(layer_norm_weight_gradient_simd)(shape, dy, x, mean, inverse_std, dweight, dbias);
}
void column_sum(int64_t n, int64_t c, const float* x, float* out) {
  HWY_DYNAMIC_DISPATCH(column_sum_simd)(n, c, x, out);
}

}  // namespace agro
#endif  // HWY_ONCE
