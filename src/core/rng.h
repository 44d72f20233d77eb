#pragma once
// Counter-based random numbers: a value depends only on its coordinates, never on what was drawn before it, so that
// sampling is independent of batch composition and of the number of threads.
#include <array>
#include <cstdint>

namespace agro {

/// Philox4x32 with 10 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// Purposes that must never share random numbers.
enum class Stream : uint32_t {
  kSampling = 1,
  kPromptOrder = 2,
  kStoredOrder = 3,
  kEvaluation = 4,
  kInit = 5,
  kTest = 6,
  kProblems = 7,
  kReference = 8,  // responses of the reference from which V* is estimated
  kBootstrap = 9   // prompts of a resample
};

/// Coordinates of one random number.
struct DrawKey {
  uint64_t seed = 0;
  Stream stream = Stream::kSampling;
  uint64_t ordinal = 0;   // which prompt (or which item)
  uint32_t draw = 0;      // how many responses were drawn for that prompt before this one
  uint32_t position = 0;  // token position within the response
};

/// Uniform in [0, 1), 53 random bits. Equal keys give equal values on every machine.
double uniform01(const DrawKey& key);

/// Standard normal deviate (Box–Muller on one Philox block).
double normal(const DrawKey& key);

/// Uniform integer in [0, bound), bound > 0; the bias is below bound / 2^53.
uint64_t uniform_below(const DrawKey& key, uint64_t bound);

}  // namespace agro
