#pragma once
// What the operating system says about the machine: processor, memory, and what a container allows of both.
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "core/file.h"

namespace agro {

struct SystemFacts {
  std::string cpu_model = "unknown";
  std::set<std::string> cpu_flags;      // as in /proc/cpuinfo: "avx2", "avx512_bf16"; x86 only
  int64_t memory_bytes = 0;             // of the machine; 0 where /proc does not say
  int64_t available_bytes = 0;          // without swapping, within memory_limit
  std::optional<int64_t> memory_limit;  // bytes, where the control groups allow less than memory_bytes
  std::optional<double> cpu_quota;      // CPUs' worth of time that the control groups allow
  double load_average = 0;              // threads that wanted to run, of all programs, over the last minute
  int64_t last_level_cache_bytes = 0;   // 0: unknown
};

/// Reads /proc and /sys below `root`; control groups of version 1 and 2, with all their parents. What is missing or not
/// understood keeps its default.
SystemFacts read_system(const Path& root = "/");

}  // namespace agro
