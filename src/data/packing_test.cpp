#include "data/packing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/rng.h"
#include "data/test_support.h"

namespace agro {
namespace {

using Bins = std::vector<IndexRange>;

TEST(Packing, FillsBinsInOrder) {
  const std::vector<int64_t> lengths = {4, 6, 1, 9, 30, 2, 3};
  EXPECT_EQ(pack_by_tokens(lengths, 10), (Bins{{0, 2}, {2, 4}, {4, 5}, {5, 7}}));
  EXPECT_EQ(pack_by_tokens(lengths, 1000), (Bins{{0, 7}}));
  EXPECT_EQ(pack_by_tokens({}, 10), Bins{});
}

TEST(Packing, PaddedCostCountsTheLongestForEveryRow) {
  EXPECT_EQ(pack_by_tokens(std::vector<int64_t>{2, 2, 5, 5, 1}, 10, BinCost::kPadded), (Bins{{0, 2}, {2, 4}, {4, 5}}));
}

TEST(Packing, NothingIsDroppedAndOnlyLoneSequencesExceedTheBudget) {
  constexpr uint64_t kSeed = 7;
  for (const BinCost cost : {BinCost::kPacked, BinCost::kPadded}) {
    std::vector<int64_t> lengths;
    for (uint32_t i = 0; i < 500; ++i)
      lengths.push_back(
          static_cast<int64_t>(uniform_below({.seed = kSeed, .stream = Stream::kTest, .position = i}, 60)));
    size_t next = 0;
    for (const auto& [begin, end] : pack_by_tokens(lengths, 50, cost)) {
      EXPECT_EQ(begin, next);
      next = end;
      int64_t sum = 0;
      int64_t longest = 0;
      for (size_t i = begin; i < end; ++i) {
        sum += lengths[i];
        longest = std::max(longest, lengths[i]);
      }
      const auto rows = static_cast<int64_t>(end - begin);
      EXPECT_TRUE(rows == 1 || (cost == BinCost::kPacked ? sum : rows * longest) <= 50) << "seed " << kSeed;
    }
    EXPECT_EQ(next, lengths.size());
  }
}

TEST(Packing, RefusesABudgetThatHoldsNothing) {
  EXPECT_THAT(error_of([] { pack_by_tokens(std::vector<int64_t>{1}, 0); }),
              ::testing::HasSubstr("at least 1, found 0"));
  EXPECT_THAT(error_of([] { pack_by_tokens(std::vector<int64_t>{1, -1}, 5); }), ::testing::HasSubstr("sequence 1"));
}

}  // namespace
}  // namespace agro
