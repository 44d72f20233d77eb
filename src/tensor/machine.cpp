#include "tensor/machine.h"

#include <ATen/Parallel.h>
#include <malloc.h>

#include <climits>
#include <cstdlib>

#include "core/parallel.h"

namespace agro {
namespace {

/// LibTorch 1.13 stays with AVX2 unless told otherwise; it looks at this variable once, at its first operation.
void allow_avx512() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    ::setenv("ATEN_CPU_CAPABILITY", "avx512", 0);
#endif
}

/// Activations of one step are as large as those of the next: giving them back to the system and faulting them in again
/// costs up to a third of a step.
void keep_freed_memory() {
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, INT_MAX);
  ::mallopt(M_TOP_PAD, 64 << 20);
}

}  // namespace

void set_up_machine(int64_t threads) {
  allow_avx512();
  keep_freed_memory();
  set_up_threads(static_cast<int>(threads));
  at::set_num_threads(thread_count());
}

}  // namespace agro
