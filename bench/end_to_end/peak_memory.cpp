#include "bench/end_to_end/peak_memory.h"

#include <malloc.h>

#include <fstream>
#include <string>

#include "core/error.h"

namespace agro {
namespace {

/// A line "VmHWM:   1234 kB" of /proc/self/status, in bytes.
int64_t status_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key + ":")) return 1024 * std::stoll(line.substr(key.size() + 1));
  throw fail("no {} found", key).at("/proc/self/status");
}

void reset_high_water_mark() {
  std::ofstream file("/proc/self/clear_refs");
  file << "5" << std::flush;  // proc(5): resets VmHWM to the present size
  if (!file) throw Error("cannot be written").at("/proc/self/clear_refs");
}

}  // namespace

int64_t resident_bytes() { return status_bytes("VmRSS"); }

int64_t peak_growth(const std::function<void()>& work) {
  ::malloc_trim(0);
  reset_high_water_mark();
  const int64_t before = resident_bytes();
  work();
  return status_bytes("VmHWM") - before;
}

}  // namespace agro
