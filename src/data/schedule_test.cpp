#include "data/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "data/random_order.h"
#include "data/stored_draw.h"
#include "data/test_support.h"

namespace agro {
namespace {

constexpr uint64_t kSeed = 20250703;

TEST(RandomOrder, EveryOrderOfThreeIsEquallyLikely) {
  std::map<std::vector<size_t>, int> counts;
  constexpr int kTrials = 6000;
  for (int i = 0; i < kTrials; ++i)
    ++counts[random_order(3, {.seed = kSeed, .stream = Stream::kTest, .ordinal = static_cast<uint64_t>(i)})];
  ASSERT_EQ(counts.size(), 6U);
  // Binomial(6000, 1/6) has standard deviation 29; five of them is beyond chance.
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000, 145) << "seed " << kSeed;
}

TEST(Schedule, EachEpochHoldsEveryPromptOnceInItsOwnOrder) {
  PromptSchedule schedule(10, kSeed);
  const auto first = schedule.batch(0, 10);
  const auto second = schedule.batch(10, 10);
  for (const auto& epoch : {first, second}) EXPECT_EQ(std::set(epoch.begin(), epoch.end()).size(), 10U);
  EXPECT_NE(first, second);
  EXPECT_EQ(schedule.epoch(9), 0U);
  EXPECT_EQ(schedule.epoch(10), 1U);
}

TEST(Schedule, PositionAloneDecides) {
  PromptSchedule uninterrupted(7, kSeed);
  const auto whole = uninterrupted.batch(0, 60);
  for (const size_t start : {0U, 5U, 7U, 30U, 59U}) {
    PromptSchedule resumed(7, kSeed);
    EXPECT_EQ(resumed.batch(start, 60 - start),
              std::vector(whole.begin() + static_cast<std::ptrdiff_t>(start), whole.end()));
  }
  EXPECT_EQ(uninterrupted.at(3), whole[3]) << "going back to an earlier epoch";
  EXPECT_NE(PromptSchedule(7, kSeed + 1).batch(0, 60), whole);
  EXPECT_NE(PromptSchedule(7, kSeed, Stream::kEvaluation).batch(0, 60), whole);
}

TEST(Schedule, NoPromptsIsAnError) {
  EXPECT_THAT(error_of([] { PromptSchedule(0, 1); }), ::testing::HasSubstr("at least one prompt"));
}

TEST(StoredDraw, VisitsUseAllResponsesEvenlyAndNoneTwiceInAGroup) {
  for (const auto& [available, take] :
       {std::pair<size_t, size_t>{8, 4}, {8, 3}, {5, 4}, {7, 1}, {4, 3}, {12, 8}, {9, 6}}) {
    std::vector<int> used(available, 0);
    std::set<std::vector<size_t>> groups;
    for (uint64_t visit = 0; visit < 100; ++visit) {
      const auto drawn = draw_stored(kSeed, 3, visit, available, take);
      ASSERT_EQ(drawn.size(), take);
      EXPECT_EQ(std::set(drawn.begin(), drawn.end()).size(), take)
          << available << " choose " << take << " visit " << visit;
      for (const size_t i : drawn) ++used.at(i);
      const auto [least, most] = std::minmax_element(used.begin(), used.end());
      EXPECT_LE(*most - *least, 1) << available << " choose " << take << " after visit " << visit;
      groups.insert(drawn);
    }
    EXPECT_GT(groups.size(), 1U);
  }
}

TEST(StoredDraw, DependsOnSeedPromptAndVisitOnly) {
  const auto drawn = draw_stored(kSeed, 3, 41, 20, 6);
  EXPECT_EQ(draw_stored(kSeed, 3, 41, 20, 6), drawn);
  EXPECT_NE(draw_stored(kSeed + 1, 3, 41, 20, 6), drawn);
  EXPECT_NE(draw_stored(kSeed, 4, 41, 20, 6), drawn);
  EXPECT_NE(draw_stored(kSeed, 3, 42, 20, 6), drawn);
}

TEST(StoredDraw, FewResponsesAreAllUsed) {
  EXPECT_EQ(draw_stored(kSeed, 0, 5, 3, 3), (std::vector<size_t>{0, 1, 2}));
  EXPECT_EQ(draw_stored(kSeed, 0, 5, 2, 8), (std::vector<size_t>{0, 1}));
  EXPECT_TRUE(draw_stored(kSeed, 0, 5, 0, 8).empty());
  EXPECT_TRUE(draw_stored(kSeed, 0, 5, 8, 0).empty());
}

}  // namespace
}  // namespace agro
