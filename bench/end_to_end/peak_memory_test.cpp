#include "bench/end_to_end/peak_memory.h"

#include <gtest/gtest.h>

#include <vector>

namespace agro {
namespace {

constexpr int64_t kMiB = 1 << 20;

/// Allocates, touches and frees.
void touch(int64_t bytes) {
  std::vector<char> memory(static_cast<size_t>(bytes), 1);
  EXPECT_EQ(memory.back(), 1);
}

TEST(PeakMemory, SeesWhatWasFreedAgain) {
  const int64_t growth = peak_growth([] { touch(200 * kMiB); });
  EXPECT_GT(growth, 190 * kMiB);
  EXPECT_LT(growth, 240 * kMiB);
}

TEST(PeakMemory, IsThatOfTheLastCall) {
  peak_growth([] { touch(200 * kMiB); });
  const int64_t growth = peak_growth([] { touch(50 * kMiB); });
  EXPECT_GT(growth, 45 * kMiB);
  EXPECT_LT(growth, 90 * kMiB);
}

}  // namespace
}  // namespace agro
