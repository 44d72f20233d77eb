#include "tensor/machine.h"

#include <ATen/Parallel.h>
#include <malloc.h>

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

void keep_freed_memory() {
  constexpr HeapSettings kHeap;
  ::mallopt(M_MMAP_THRESHOLD, kHeap.mmap_threshold);
  ::mallopt(M_TRIM_THRESHOLD, kHeap.trim_threshold);
  ::mallopt(M_TOP_PAD, kHeap.top_pad);
}

}  // namespace

void set_up_machine(int64_t threads) {
  allow_avx512();
  keep_freed_memory();
  set_up_threads(static_cast<int>(threads));
  at::set_num_threads(thread_count());
}

void give_back_large_blocks() { ::mallopt(M_MMAP_THRESHOLD, kShortMemoryThreshold); }

void release_freed_memory() { ::malloc_trim(0); }

}  // namespace agro
