#pragma once
// float32 to bfloat16 (nearest, ties to even; NaN stays NaN) and the order in which bfloat16 dot products read it.
#include <cstdint>

namespace agro {

/// A matrix whose dot products run along k: element (line, k) lies at data[line * line_stride + k * k_stride]. Lines
/// are the rows of a left-hand side or the columns of a right-hand side. T is float or the bits of a bfloat16
/// (uint16_t).
template <class T>
struct Lines {
  const T* data;
  int64_t lines, k;
  int64_t line_stride, k_stride;
};

enum class PairOrder {
  kLineMajor,  // [line][k]
  kPairMajor,  // [k / 2][line][2]
};

/// Rounds `source` into `out`, padded with zeros to `padded_lines` (a multiple of 16) and `padded_k` (one of 32).
void pack_bfloat16(const Lines<float>& source, PairOrder order, int64_t padded_lines, int64_t padded_k, uint16_t* out);
void pack_bfloat16(const Lines<uint16_t>& source, PairOrder order, int64_t padded_lines, int64_t padded_k,
                   uint16_t* out);

/// out[i] = the nearest bfloat16 to x[i], as float32 or as bits.
void round_to_bfloat16(int64_t n, const float* x, float* out);
void round_to_bfloat16(int64_t n, const float* x, uint16_t* out);

}  // namespace agro
