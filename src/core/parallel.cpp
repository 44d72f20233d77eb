#include "core/parallel.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <vector>

namespace agro {
namespace {

// The mask before the first pinning; read once, while the main thread is still unpinned.
const cpu_set_t& initial_mask() {
  static const cpu_set_t mask = [] {
    cpu_set_t now;
    CPU_ZERO(&now);
    sched_getaffinity(0, sizeof(now), &now);
    return now;
  }();
  return mask;
}

std::vector<int> allowed_cpus() {
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(static_cast<size_t>(cpu), &initial_mask())) cpus.push_back(cpu);
  return cpus;
}

}  // namespace

void unpin_this_thread() { sched_setaffinity(0, sizeof(cpu_set_t), &initial_mask()); }

int cpu_count() { return CPU_COUNT(&initial_mask()); }

int thread_count() { return omp_get_max_threads(); }

bool in_parallel() { return omp_in_parallel() != 0; }

void set_up_threads(int count) {
  const std::vector<int> cpus = allowed_cpus();
  if (count <= 0) count = std::max<int>(1, static_cast<int>(cpus.size()));
  omp_set_dynamic(0);
  omp_set_num_threads(count);
  // With workers to spare nobody is pinned: two processes of one thread each would meet on the first CPU.
  if (cpus.empty() || count != static_cast<int>(cpus.size())) return;
    // Unpinned workers often share one core; OMP_PROC_BIND would also confine every later std::thread.
#pragma omp parallel num_threads(count)
  {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<size_t>(cpus[static_cast<size_t>(omp_get_thread_num())]), &one);
    sched_setaffinity(0, sizeof(one), &one);
  }
}

bool workers_are_pinned() {
  std::vector<cpu_set_t> masks(static_cast<size_t>(thread_count()));
#pragma omp parallel
  sched_getaffinity(0, sizeof(cpu_set_t), &masks[static_cast<size_t>(omp_get_thread_num())]);
  cpu_set_t all;
  CPU_ZERO(&all);
  for (const cpu_set_t& mask : masks) {
    if (CPU_COUNT(&mask) != 1) return false;
    CPU_OR(&all, &all, &mask);
  }
  return CPU_COUNT(&all) == static_cast<int>(masks.size());
}

void detail::parallel_for(int64_t count, void (*body)(int64_t, void*), void* context) {
  if (count <= 0) return;
  if (count == 1 || in_parallel() || omp_get_max_threads() == 1) {
    for (int64_t i = 0; i < count; ++i) body(i, context);
    return;
  }
#pragma omp parallel for schedule(dynamic, 1)
  for (int64_t i = 0; i < count; ++i) body(i, context);
}

}  // namespace agro
