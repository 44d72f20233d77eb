#pragma once
// Small dense linear algebra, in plain numbers.
#include <cstddef>
#include <optional>
#include <vector>

namespace agro {

using Vector = std::vector<double>;

struct SquareMatrix {
  explicit SquareMatrix(size_t n) : size(n), values(n * n) {}
  double& operator()(size_t i, size_t j) { return values[i * size + j]; }
  double operator()(size_t i, size_t j) const { return values[i * size + j]; }

  size_t size;
  Vector values;
};

/// x with A x = b by elimination without exchange of rows; empty where a pivot is not above zero. All pivots of a
/// symmetric A are above zero exactly if A is positive definite.
std::optional<Vector> solve_with_positive_pivots(SquareMatrix a, Vector b);

/// diag(weights) - weights weightsᵀ: what turns a gradient by log-probabilities under `weights` into one by logits.
SquareMatrix softmax_covariance(const Vector& weights);

}  // namespace agro
