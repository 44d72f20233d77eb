#include "model/row_kernels.h"

#include <algorithm>
#include <cstring>

#include "core/parallel.h"
#include "tensor/ops/norm_cpu.h"

namespace agro {
namespace {

NormShape shape_of(const Norm& norm, int64_t elements) {
  const int64_t c = norm.weight.size(0);
  return {elements / c, c, static_cast<float>(norm.epsilon)};
}

}  // namespace

void norm_forward(const Norm& norm, int64_t elements, const float* x, float* out, NormRows rows) {
  const NormShape shape = shape_of(norm, elements);
  if (norm.bias.defined())
    layer_norm_forward(shape, x, read_pointer<float>(norm.weight), read_pointer<float>(norm.bias), out, rows.mean,
                       rows.inverse);
  else
    rms_norm_forward(shape, x, read_pointer<float>(norm.weight), out, rows.inverse);
}

void norm_backward(const Norm& norm, int64_t elements, const float* dy, const float* x, ReadNormRows rows, float* dx) {
  const NormShape shape = shape_of(norm, elements);
  const auto* weight = read_pointer<float>(norm.weight);
  if (norm.bias.defined())
    layer_norm_backward(shape, dy, x, weight, rows.mean, rows.inverse, dx);
  else
    rms_norm_backward(shape, dy, x, weight, rows.inverse, dx);
}

void norm_weight_gradient(const Norm& norm, int64_t elements, const float* dy, const float* x, ReadNormRows rows,
                          float* dweight, float* dbias) {
  const NormShape shape = shape_of(norm, elements);
  if (norm.bias.defined())
    layer_norm_weight_gradient(shape, dy, x, rows.mean, rows.inverse, dweight, dbias);
  else
    rms_norm_weight_gradient(shape, dy, x, rows.inverse, dweight);
}

void add(int64_t count, const float* term, float* x) {
  constexpr int64_t kTask = 16384;
  parallel_for((count + kTask - 1) / kTask, [&](int64_t task) {
    const int64_t end = std::min(count, (task + 1) * kTask);
#pragma omp simd
    for (int64_t i = task * kTask; i < end; ++i) x[i] += term[i];
  });
}

void copy_columns(int64_t rows, int64_t columns, const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  constexpr int64_t kTask = 64;
  parallel_for((rows + kTask - 1) / kTask, [&](int64_t task) {
    for (int64_t row = task * kTask; row < std::min(rows, (task + 1) * kTask); ++row)
      std::memcpy(to + row * to_stride, from + row * from_stride, static_cast<size_t>(columns) * sizeof(float));
  });
}

}  // namespace agro
