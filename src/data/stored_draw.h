#pragma once
// Which stored responses a group takes at each visit of its prompt: all of them in turn, none twice in one group.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace agro {

/// Indices of the `take` of `available` stored responses that the `visit`-th group (from 0) of prompt `ordinal` uses.
/// Without replacement: consecutive visits walk through random orders of all responses, one after another, so that use
/// counts never differ by more than one; within one visit all indices differ. take ≥ available gives all.
/// A pure function of its arguments: resuming needs the visit counter only. Cost O(take · available).
std::vector<size_t> draw_stored(uint64_t seed, uint64_t ordinal, uint64_t visit, size_t available, size_t take);

}  // namespace agro
