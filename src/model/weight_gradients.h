#pragma once
// The gradients of a layer's tensors: sums over all tokens, made part by part, the products of a part side by side.
#include <vector>

#include "model/row_kernels.h"

namespace agro {

class WeightGradients {
 public:
  explicit WeightGradients(const DecoderLayer& layer);

  /// Begins the next part: the gradients of all tensors follow, in the order of DecoderLayer::trainable().
  void next_part();

  void norm(const Norm& norm, int64_t elements, const float* dy, const float* x, NormRows rows);

  /// Of y = x · Wᵀ + b, from dy [rows, out] and x [rows, in], which must stay as they are until multiply().
  void linear(const LinearWeight& w, int64_t rows, const float* dy, const float* x);

  /// Adds the products of this part to the weights' gradients, on all threads; the bits depend on the parts alone.
  /// Throws Error where oneDNN fails.
  void multiply();

  /// In the order of DecoderLayer::trainable().
  const variable_list& sums() const { return sums_; }

 private:
  /// leftᵀ · right over the rows of both.
  struct Product {
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
  std::vector<Product> products_;
};

}  // namespace agro
