#include "lab/linear.h"

namespace agro {

std::optional<Vector> solve_with_positive_pivots(SquareMatrix a, Vector b) {
  const size_t n = a.size;
  for (size_t k = 0; k < n; ++k) {
    if (!(a(k, k) > 0)) return std::nullopt;
    for (size_t i = k + 1; i < n; ++i) {
      const double factor = a(i, k) / a(k, k);
      for (size_t j = k + 1; j < n; ++j) a(i, j) -= factor * a(k, j);
      b[i] -= factor * b[k];
    }
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t j = i + 1; j < n; ++j) b[i] -= a(i, j) * b[j];
    b[i] /= a(i, i);
  }
  return b;
}

SquareMatrix softmax_covariance(const Vector& weights) {
  SquareMatrix matrix(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    for (size_t j = 0; j < weights.size(); ++j) matrix(i, j) = -weights[i] * weights[j];
    matrix(i, i) += weights[i];
  }
  return matrix;
}

}  // namespace agro
