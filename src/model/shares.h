#pragma once
// How a packed batch is divided among threads that each take some of its sequences through several operators: what one
// operator writes, the next reads from the thread's own cache, and threads wait for one another once, not at each.
#include <cstdint>
#include <vector>

#include "tensor/ops/attention.h"

namespace agro {

/// Sequences begin … end − 1, rows first_row … first_row + rows − 1: a part of a packed batch.
struct Share {
  int64_t begin, end;
  int64_t first_row, rows;
};

struct PackedSequences {
  const Offsets& offsets;
  const Prefixes& prefixes;
};

/// All of a batch.
Share whole(const Offsets& offsets);

/// Cuts `part` into about `count` shares of about equally many rows, sequences whole and together with what they
/// continue. The result replaces what is in `shares`.
void cut(const PackedSequences& batch, const Share& part, int64_t count, std::vector<Share>& shares);

/// Cuts `part` into shares for the threads; a single one where more would not pay or would be of too unlike size, whose
/// operators then divide their work themselves. `weight_bytes`: what the work on each share reads beside its rows. The
/// cut depends on the number of threads, so no number may depend on the cut.
void divide_into_shares(const PackedSequences& batch, const Share& part, int64_t weight_bytes,
                        std::vector<Share>& shares);

/// Cuts the rows of `part` for work that looks at rows alone, wherever its sequences (begin and end of every share)
/// lie: one share for each thread, or a single one where more would not pay.
void divide_rows(const Share& part, int64_t weight_bytes, std::vector<Share>& shares);

}  // namespace agro
