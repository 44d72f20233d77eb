#pragma once
// The BLAS that the plain reference runs on, at its best: OpenBLAS takes its kernels by the CPU's model number, or as
// OPENBLAS_CORETYPE says, once, when it is loaded. So every kernel set is tried in a process of its own, and the
// program starts again with the fastest.
#include <cstdint>
#include <string>

namespace agro {

/// Geometric mean over typical products of the rate of LibTorch's float32 linear layers, in GFLOP/s. After
/// set_up_machine.
double blas_gflops();

/// What `agro bench --probe-blas` prints.
std::string blas_probe_line();

/// Whether this process was started by settle_blas.
bool blas_is_settled();

/// `wanted`: "best", "own" (OpenBLAS's own choice) or a kernel set ("SkylakeX"). Replaces this process by the same
/// command with the kernels chosen, and with nothing in the environment that holds LibTorch or BLAS back. In the
/// process so started, and where LibTorch's BLAS is not OpenBLAS, returns what is in use and what was tried.
std::string settle_blas(const std::string& wanted, int64_t threads);

}  // namespace agro
