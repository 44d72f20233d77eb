#pragma once
// Threads, memory and vector instructions as the heavy commands want them.
#include <climits>
#include <cstdint>

namespace agro {

/// How malloc is told to keep freed memory, in bytes (mallopt(3)). Activations of one step are as large as those of the
/// next: giving them back to the system and faulting them in again costs up to a third of a step.
struct HeapSettings {
  int mmap_threshold = 1 << 30;  // smaller blocks come from the heap, which is kept
  int trim_threshold = INT_MAX;  // free memory at the heap's end before it is given back
  int top_pad = 64 << 20;        // by how much the heap grows beyond what is asked
};

/// In place of HeapSettings::mmap_threshold where memory is short. The gradient of an embedding is such a block: kept
/// by the heap, the hole it leaves seldom fits the next one, and several lie side by side.
constexpr int kShortMemoryThreshold = 64 << 20;

/// From now on blocks of kShortMemoryThreshold and more are given back to the system as they are freed.
void give_back_large_blocks();

/// To be called before the first tensor operation. `threads` 0: one per CPU this process may run on.
void set_up_machine(int64_t threads);

/// Gives memory that was freed, and kept as HeapSettings say, back to the system: after something large that does not
/// come again.
void release_freed_memory();

}  // namespace agro
