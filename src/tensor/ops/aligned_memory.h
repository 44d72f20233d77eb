#pragma once
// Uninitialised memory aligned to cache lines and the widest vectors.
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace agro {

struct FreeMemory {
  // NOLINTNEXTLINE(cppcoreguidelines-no-malloc): this is what owns the memory
  void operator()(std::byte* p) const { std::free(p); }
};
using AlignedMemory = std::unique_ptr<std::byte[], FreeMemory>;

inline AlignedMemory aligned_memory(size_t bytes) {
  constexpr size_t kAlignment = 64;
  void* memory = std::aligned_alloc(kAlignment, (bytes / kAlignment + 1) * kAlignment);
  if (memory == nullptr) throw std::bad_alloc();
  return AlignedMemory(static_cast<std::byte*>(memory));
}

}  // namespace agro
