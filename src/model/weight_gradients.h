#pragma once
// The gradients of a layer's tensors: sums over all tokens, made part by part, the products of a part side by side.
#include <vector>

#include "model/row_kernels.h"

namespace agro {

/// For each part of a batch: next_part(); norm() and linear() for all of the layer's parts, in the order of
/// DecoderLayer::trainable(); multiply(). All float32, rows dense.
class WeightGradients {
 public:
  /// All tensors of the layer are trained; none has a low-rank part.
  explicit WeightGradients(const DecoderLayer& layer);

  void next_part();

  /// Of a norm's weight and bias, from the gradient of its result and its input, `elements` in rows of the norm's size.
  void norm(const Norm& norm, int64_t elements, const float* dy, const float* x, ReadNormRows rows);

  /// Of y = x · Wᵀ + b, from dy [rows, out] and x [rows, in], which must stay as they are until multiply().
  void linear(const LinearWeight& w, int64_t rows, const float* dy, const float* x);

  /// Adds the products of this part to the weights' gradients, on all threads; the bits depend on the parts alone.
  /// Throws Error where oneDNN fails, or where a tensor of the layer was left out.
  void multiply();

  /// The gradients, in the order of DecoderLayer::trainable().
  const variable_list& sums() const { return sums_; }

 private:
  /// leftᵀ · right over the rows of both.
  struct GradientProduct {
    const float* left;
    const float* right;
    int64_t rows, left_columns, right_columns;
    Products products;
    float* out;
  };

  void take(const float* part);

  variable_list sums_;
  size_t at_ = 0;
  int64_t parts_ = 0;
  std::vector<GradientProduct> products_;
};

}  // namespace agro
