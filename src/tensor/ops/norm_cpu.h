#pragma once
// RMSNorm and LayerNorm on rows of float32, forward and backward. N rows of C.
#include <cstdint>

namespace agro {

struct NormShape {
  int64_t n = 0;  // rows
  int64_t c = 0;  // row length
  float eps = 1e-5F;
};

/// y = x / sqrt(mean(x²) + eps) · weight; y may be x. inverse_rms [N] is kept for the backward pass (may be null).
void rms_norm_forward(const NormShape& shape, const float* x, const float* weight, float* y, float* inverse_rms);
/// dx [N, C]; may be dy. A row's bits depend on that row alone.
void rms_norm_backward(const NormShape& shape, const float* dy, const float* x, const float* weight,
                       const float* inverse_rms, float* dx);
/// dweight [C], a sum over the rows in a fixed order.
void rms_norm_weight_gradient(const NormShape& shape, const float* dy, const float* x, const float* inverse_rms,
                              float* dweight);

/// y = (x − mean) / sqrt(var + eps) · weight + bias; y may be x. mean, inverse_std [N] are kept for the backward pass
/// (may be null).
void layer_norm_forward(const NormShape& shape, const float* x, const float* weight, const float* bias, float* y,
                        float* mean, float* inverse_std);
/// As the two of rms_norm.
void layer_norm_backward(const NormShape& shape, const float* dy, const float* x, const float* weight,
                         const float* mean, const float* inverse_std, float* dx);
void layer_norm_weight_gradient(const NormShape& shape, const float* dy, const float* x, const float* mean,
                                const float* inverse_std, float* dweight, float* dbias);

/// out[c] = Σ_n x[n, c], n ascending within fixed chunks: the same bits for any number of threads.
void column_sum(int64_t n, int64_t c, const float* x, float* out);

}  // namespace agro
