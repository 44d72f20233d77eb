#pragma once
// A row times a matrix of bfloat16 pairs, without AMX but with its bits: for so few rows that reading the matrix is
// what takes time.
#include <cstdint>

namespace agro {

/// sums[c] = Σ_k row[k] · pairs[k / 2][c][k % 2] for 64 columns: row [depth] of bfloat16 values as float32, depth a
/// multiple of 32. Summed as the TDPBF16PS instruction does, 32 k at a time: even and odd k in a chain each, then both
/// together to the sum. (That instruction takes numbers below 2⁻¹²⁶ for 0, this does not.)
void multiply_panel_of_pairs(const float* row, const uint16_t* pairs, int64_t depth, float* sums);

}  // namespace agro
