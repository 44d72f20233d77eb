#pragma once
// Matrix products of bfloat16 inputs with float32 sums: both sides are rounded to bfloat16, nothing else is.
//
// Where the CPU multiplies bfloat16, oneDNN does so, block by block of rows and columns; elsewhere the rounded values go
// through the float32 product, which gives the same up to the order of summation. Either way a row's bits depend on that
// row alone, and none on the number of threads: the sum of an element runs over k alike in blocks of any size (which for
// oneDNN is what the tests find, not what it promises).
#include <cstdint>

#include "tensor/ops/aligned_memory.h"
#include "tensor/ops/matmul_cpu.h"

namespace agro {

enum class RoundedKernel { kOneDnn, kPortable };

/// kOneDnn where this CPU has the instructions.
RoundedKernel best_rounded_kernel();

/// Right-hand side [k, n] of a product, rounded to bfloat16 (2 bytes an element, n padded to 64 and k to 32).
class RoundedMatrix {
 public:
  static constexpr int64_t kPanel = 64;
  static constexpr int64_t kChunk = 2048;  // longest run of k in one kernel: bounds the number of different kernels
  /// How far k is padded where it differs from call to call, as the tokens of a batch do: a kernel per 128, not per 32.
  static constexpr int64_t kVaryingK = 128;

  RoundedMatrix() = default;
  /// As PackedMatrix::from_transposed and from_plain; T is float or the bits of a bfloat16 (uint16_t).
  template <class T>
  static RoundedMatrix from_transposed(const T* source, int64_t n, int64_t k,
                                       RoundedKernel kernel = best_rounded_kernel());
  template <class T>
  static RoundedMatrix from_plain(const T* source, int64_t k, int64_t n, int64_t row_stride, int64_t k_multiple = 32,
                                  RoundedKernel kernel = best_rounded_kernel());

  int64_t k() const { return k_; }
  int64_t n() const { return n_; }
  int64_t padded_n() const { return (n_ + kPanel - 1) / kPanel * kPanel; }
  /// Padded k.
  int64_t depth() const { return depth_; }
  RoundedKernel kernel() const { return kernel_; }
  /// Columns [column, …) of k in [chunk, …): kChunk of them, or what is left. Both multiples of kPanel and kChunk.
  const uint16_t* block(int64_t column, int64_t chunk) const;
  /// The float32 product's right-hand side, of a portable one.
  const PackedMatrix& portable() const { return portable_; }

 private:
  RoundedMatrix(int64_t k, int64_t n, int64_t k_multiple, RoundedKernel kernel);
  template <class T>
  void fill(const T* source, int64_t column_stride, int64_t k_stride);

  int64_t k_ = 0, n_ = 0, depth_ = 0;
  RoundedKernel kernel_ = RoundedKernel::kPortable;
  AlignedMemory pairs_;  // [chunk][panel][k of the chunk / 2][kPanel][2]
  PackedMatrix portable_;
};

/// As the float32 product. `first_column` a multiple of RoundedMatrix::kPanel. Throws Error where oneDNN fails.
void matmul(const StridedMatrix& a, const RoundedMatrix& b, float* out, int64_t out_stride,
            const MatmulOptions& options = {});

}  // namespace agro
