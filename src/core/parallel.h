#pragma once
// Threads: how many, where they run, and one loop.
#include <cstdint>
#include <exception>
#include <mutex>
#include <type_traits>

namespace agro {

/// Number of worker threads that parallel_for uses.
int thread_count();

/// Whether the caller is part of a parallel_for that several workers share: its own loops run on this thread alone.
bool in_parallel();

/// Sets the worker threads (0: one per CPU this process may run on). As many as CPUs: worker i is pinned to the i-th
/// allowed CPU; fewer or more are left to the scheduler.
/// Call once at start, outside any parallel region.
void set_up_threads(int count);

/// CPUs this process was allowed at start.
int cpu_count();

/// Whether every worker thread is confined to one CPU of its own. Call outside any parallel region.
bool workers_are_pinned();

/// Gives the calling thread (or, after fork, the child process) every CPU the process was allowed at start: a thread
/// or child made by a pinned worker would otherwise stay on that worker's core.
void unpin_this_thread();

namespace detail {
void parallel_for(int64_t count, void (*body)(int64_t, void*), void* context);
}

/// Calls body(i) for i in [0, count) on the worker threads, in no particular order. Bodies must not throw, and must
/// write to disjoint places; the work of one index never depends on the number of threads.
template <class Body>
void parallel_for(int64_t count, Body&& body) {
  detail::parallel_for(
      count, [](int64_t i, void* context) { (*static_cast<std::remove_reference_t<Body>*>(context))(i); }, &body);
}

/// The same for bodies that may throw. All are called; then what the one of the lowest index threw is thrown here.
template <class Body>
void parallel_for_rethrowing(int64_t count, Body&& body) {
  std::mutex mutex;
  std::exception_ptr error;
  int64_t at = count;
  parallel_for(count, [&](int64_t i) {
    try {
      body(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (i < at) at = i, error = std::current_exception();
    }
  });
  if (error) std::rethrow_exception(error);
}

}  // namespace agro
