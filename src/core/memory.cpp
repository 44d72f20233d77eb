#include "core/memory.h"

#include <sys/mman.h>
#include <sys/resource.h>

namespace agro {

double peak_memory_gib() {
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / (1024.0 * 1024.0);
}

void forget_pages(std::span<const std::byte> mapped) {
  if (!mapped.empty()) ::madvise(const_cast<std::byte*>(mapped.data()), mapped.size(), MADV_DONTNEED);  // may fail
}

}  // namespace agro
