#pragma once
// How much memory an operation takes while it runs, measured by the kernel's own high-water mark.
#include <cstdint>
#include <functional>

namespace agro {

/// Bytes by which the resident set of this process stood above its size before the call, at its highest while `work`
/// ran. What malloc kept of earlier work is given back first. Throws Error where /proc does not allow it.
int64_t peak_growth(const std::function<void()>& work);

/// Bytes resident now.
int64_t resident_bytes();

}  // namespace agro
