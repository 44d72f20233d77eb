#pragma once
// How a packed batch is divided among threads that each take some of its sequences through several operators: what one
// operator writes, the next reads from the thread's own cache, and threads wait for one another once, not at each.
#include <cstdint>
#include <vector>

#include "tensor/ops/attention.h"

namespace agro {

/// Sequences begin … end − 1, rows first_row … first_row + rows − 1: what one thread works on at a time.
struct Share {
  int64_t begin, end;
  int64_t first_row, rows;
};

/// Cuts the batch into shares of about equally many tokens, whole sequences with what they continue; a single share
/// where more would not pay, whose operators then divide their work themselves. `weight_bytes`: what each share reads.
/// No number computed depends on the cut.
void divide_into_shares(const Offsets& offsets, const Prefixes& prefixes, int64_t weight_bytes,
                        std::vector<Share>& shares);

}  // namespace agro
