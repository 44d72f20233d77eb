#pragma once
// Loops whose speed is the machine's own: nothing but multiply-adds in registers, nothing but reading memory. For the
// calling thread alone.
#include <cstdint>
#include <string_view>

namespace agro {

/// Highway's name of the instruction set that kernels run with on this CPU: "AVX3", "AVX2", "SSE2".
std::string_view kernel_target();

/// Runs `rounds` rounds of independent chains of float32 multiply-adds and returns how many operations they were (a
/// multiply-add is two). `sink` receives a value that depends on all of them.
int64_t multiply_add_chains(int64_t rounds, float* sink);

/// The sum of x[0 … n−1], at the speed at which memory is read. n a multiple of 256.
float streamed_sum(int64_t n, const float* x);

}  // namespace agro
