#pragma once
// Memory of this process.
#include <cstddef>
#include <span>

namespace agro {

/// Largest resident set so far, in GiB.
double peak_memory_gib();

/// Takes the pages of a mapped file out of this process's resident memory; they are read again when needed. `mapped` is
/// a whole read-only mapping.
void forget_pages(std::span<const std::byte> mapped);

}  // namespace agro
