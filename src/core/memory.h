#pragma once
// Memory of this process.

namespace agro {

/// Largest resident set so far, in GiB.
double peak_memory_gib();

}  // namespace agro
