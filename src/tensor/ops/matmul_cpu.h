#pragma once
// The matrix product under every linear layer, on raw float32 memory.
//
// Each output element is one chain of fused multiply-adds over k = 0 … K−1, whatever the number of rows, the tile it
// falls in or the number of threads: a row's bits depend on that row alone. Prefill, decoding and training therefore
// agree exactly, and results do not depend on batch composition. (Tiles of fixed size padded with zeros would give the
// same only for one library build; a fixed order per element gives it by construction.)
#include <cstddef>
#include <cstdint>

#include "tensor/ops/aligned_memory.h"

namespace agro {

/// Right-hand side of a product, stored as panels of kPanel columns, each panel [K][kPanel], zero-padded to whole
/// panels; or a plain matrix whose rows serve as they lie.
class PackedMatrix {
 public:
  static constexpr int64_t kPanel = 32;
  enum class Element { kFloat32, kBFloat16 };

  PackedMatrix() = default;
  /// Uninitialised storage for a [k, n] matrix.
  PackedMatrix(int64_t k, int64_t n, Element element);

  /// Packs `source` [n, k] row-major (a weight as HuggingFace stores it) transposed, so that x · packed = x · sourceᵀ.
  static PackedMatrix from_transposed(const float* source, int64_t n, int64_t k);
  static PackedMatrix from_transposed(const uint16_t* bfloat16, int64_t n, int64_t k);
  /// Packs `source` [k, n] row-major (rows `row_stride` elements apart).
  static PackedMatrix from_plain(const float* source, int64_t k, int64_t n, int64_t row_stride);
  static PackedMatrix from_plain(const uint16_t* bfloat16, int64_t k, int64_t n, int64_t row_stride);
  /// Refers to `source` [k, n], which must outlive the result, where its rows can be read in place: whole panels, at a
  /// distance that does not crowd them into few cache sets. Otherwise as from_plain().
  static PackedMatrix view_or_copy(const float* source, int64_t k, int64_t n, int64_t row_stride);

  int64_t k() const { return k_; }
  int64_t n() const { return n_; }
  int64_t panels() const { return (n_ + kPanel - 1) / kPanel; }
  Element element() const { return element_; }
  bool empty() const { return data_ == nullptr && plain_ == nullptr; }
  const std::byte* panel(int64_t p) const {
    return plain_ != nullptr ? reinterpret_cast<const std::byte*>(plain_ + p * kPanel)
                             : data_.get() + p * panel_bytes();
  }
  std::byte* panel(int64_t p) { return data_.get() + p * panel_bytes(); }
  /// Elements from one k to the next, and from one panel to the next.
  int64_t k_stride() const { return plain_ != nullptr ? row_stride_ : kPanel; }
  int64_t panel_stride() const { return plain_ != nullptr ? kPanel : k_ * kPanel; }

 private:
  int64_t panel_bytes() const { return k_ * kPanel * (element_ == Element::kFloat32 ? 4 : 2); }
  int64_t k_ = 0, n_ = 0;
  Element element_ = Element::kFloat32;
  AlignedMemory data_;
  const float* plain_ = nullptr;
  int64_t row_stride_ = 0;
};

/// Left-hand side: element (row, k) lies at data[row * row_stride + k * k_stride].
struct StridedMatrix {
  const float* data = nullptr;
  int64_t rows = 0;
  int64_t row_stride = 0;
  int64_t k_stride = 1;
};

struct MatmulOptions {
  const float* bias = nullptr;  // [n], added after the product
  bool accumulate = false;      // each chain begins with what `out` holds instead of 0
  int64_t first_column = 0;     // columns [first_column, last_column) of the product only; first a multiple of kPanel
  int64_t last_column = -1;     // −1: all
};

/// out[row * out_stride + (column − first_column)] = (out +) a · b (+ bias). All float32. Products over parts of k that
/// accumulate one after the other have the bits of the whole.
void matmul(const StridedMatrix& a, const PackedMatrix& b, float* out, int64_t out_stride,
            const MatmulOptions& options = {});

}  // namespace agro
