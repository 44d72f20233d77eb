#pragma once
// Random permutations that depend on coordinates only.
#include <cstddef>
#include <vector>

#include "core/rng.h"

namespace agro {

/// A uniformly random order of 0 … count − 1 (count < 2^32), the same for equal keys; key.position is used up.
std::vector<size_t> random_order(size_t count, DrawKey key);

}  // namespace agro
