#pragma once
// AdamW on flat float32 buffers in one pass.
#include <cstdint>

namespace agro {

struct AdamwStep {
  float learning_rate = 0, beta1 = 0.9F, beta2 = 0.999F, eps = 1e-8F, weight_decay = 0;
  float gradient_scale = 1;    // clipping: the gradient is multiplied by it
  float bias1 = 1, bias2 = 1;  // 1 − beta1^t, 1 − beta2^t with t counted from 1
};

/// Decoupled weight decay (Loshchilov & Hutter 2019), PyTorch's order of operations: w −= lr·wd·w;
/// m = β1 m + (1−β1) g; v = β2 v + (1−β2) g²; w −= lr/bias1 · m / (sqrt(v)/sqrt(bias2) + eps).
void adamw_step(const AdamwStep& step, int64_t n, const float* gradient, float* weight, float* exp_avg,
                float* exp_avg_sq);

/// Σ x², in double over fixed chunks: the same bits for any number of threads. NaN or infinity in x shows in the
/// result.
double sum_of_squares(int64_t n, const float* x);

}  // namespace agro
