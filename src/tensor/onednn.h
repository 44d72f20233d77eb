#pragma once
// The fence around oneDNN, whose versions 2 and 3 differ: one product of a block of rows with packed columns, bfloat16
// inputs and float32 sums, on the calling thread.
#include <cstdint>

namespace agro {

/// True where the CPU multiplies bfloat16 itself (AVX-512 BF16 or AMX) and this oneDNN makes use of it.
bool has_bfloat16_instructions();

/// Rows below which a block gains nothing: a tile's 16 with AMX, 1 with vectors.
int64_t smallest_row_block();

/// Sizes of one block. Columns are a multiple of 64 and k is one of 32: nothing is left over inside the kernel.
struct BlockShape {
  int64_t rows, columns, k;
  auto operator<=>(const BlockShape&) const = default;
};

/// Made on the first use of a shape and kept for the process.
class BlockProduct {
 public:
  BlockProduct() = default;
  /// Throws Error where oneDNN cannot make it.
  explicit BlockProduct(const BlockShape& shape);

  /// out [rows, columns] = left [rows, k] · right. Everything dense; inputs are bfloat16 bits, sums and out float32.
  /// Right: panels of 64 columns one after the other, each [k / 2][64 columns][2 neighbours in k]. Any thread.
  void operator()(const uint16_t* left, const uint16_t* right, float* out) const;

 private:
  const struct BlockKernel* kernel_ = nullptr;
};

}  // namespace agro
