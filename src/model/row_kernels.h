#pragma once
// Small kernels on rows of float32 for the passes that work share by share.
#include "model/decoder_layer.h"

namespace agro {

/// What a norm's backward pass needs of each row; null: not wanted. RMSNorm has no mean.
struct NormRows {
  float* mean = nullptr;
  float* inverse = nullptr;
};
struct ReadNormRows {
  const float* mean = nullptr;
  const float* inverse = nullptr;
};

/// out = norm(x), `elements` in rows of the norm's size; may be the same memory.
void norm_forward(const Norm& norm, int64_t elements, const float* x, float* out, NormRows rows = {});

/// dx; may be dy.
void norm_backward(const Norm& norm, int64_t elements, const float* dy, const float* x, ReadNormRows rows, float* dx);

/// The gradient of the norm's weight, and that of its bias where it has one, in a fixed order of summation.
void norm_weight_gradient(const Norm& norm, int64_t elements, const float* dy, const float* x, ReadNormRows rows,
                          float* dweight, float* dbias);

/// x += term, on all threads.
void add(int64_t count, const float* term, float* x);

/// Rows of `columns` numbers from one distance to another, on all threads.
void copy_columns(int64_t rows, int64_t columns, const float* from, int64_t from_stride, float* to, int64_t to_stride);

}  // namespace agro
