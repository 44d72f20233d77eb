#pragma once
// Threads, memory and vector instructions as the heavy commands want them.
#include <cstdint>

namespace agro {

/// To be called before the first tensor operation. `threads` 0: one per CPU this process may run on.
void set_up_machine(int64_t threads);

}  // namespace agro
