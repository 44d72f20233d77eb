// maj@k against a count over every subset of the responses.
#include "evaluate/majority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <map>

#include "core/error.h"
#include "core/rng.h"

namespace agro {
namespace {

/// −1: no vote, 0: right, 1 …: wrong answers.
double by_brute_force(const std::vector<int>& votes, int k) {
  double won = 0;
  int subsets = 0;
  for (unsigned subset = 0; subset < 1U << votes.size(); ++subset) {
    if (std::popcount(subset) != k) continue;
    ++subsets;
    std::map<int, int> count;
    for (size_t i = 0; i < votes.size(); ++i)
      if ((subset >> i & 1) != 0 && votes[i] >= 0) ++count[votes[i]];
    int most = 0, at_top = 0;
    for (const auto& [answer, n] : count) most = std::max(most, n);
    for (const auto& [answer, n] : count) at_top += n == most ? 1 : 0;
    if (most > 0 && count.contains(0) && count[0] == most) won += 1.0 / at_top;
  }
  return won / subsets;
}

VoteCount counted(const std::vector<int>& votes) {
  std::vector<Vote> list;
  for (const int vote : votes) list.push_back({vote == 0, vote < 0 ? "" : std::to_string(100 + vote)});
  return count_votes(list);
}

TEST(Majority, IsTheExpectationOverAllSubsets) {
  constexpr uint64_t kSeed = 20;
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  for (uint64_t trial = 0; trial < 60; ++trial) {
    DrawKey key{kSeed, Stream::kTest, trial, 0, 0};
    const auto draw = [&key](uint64_t bound) { return ++key.position, static_cast<int>(uniform_below(key, bound)); };
    std::vector<int> votes(static_cast<size_t>(1 + draw(11)));
    const int answers = 1 + draw(4);
    for (int& vote : votes) vote = draw(static_cast<uint64_t>(answers) + 2) - 1;
    const VoteCount count = counted(votes);
    for (int k = 1; k <= static_cast<int>(votes.size()); ++k)
      EXPECT_NEAR(maj_at_k(count, k), by_brute_force(votes, k), 1e-12)
          << "k = " << k << ", votes " << testing::PrintToString(votes);
  }
}

TEST(Majority, ByHand) {
  // Two right of three, one wrong: a majority of all is right; of two, {r, r} is right and {r, w} half.
  const VoteCount count{.right = 2, .wrong = {1}, .none = 0};
  EXPECT_EQ(maj_at_k(count, 3), 1);
  EXPECT_NEAR(maj_at_k(count, 2), (1 + 2 * 0.5) / 3, 1e-12);
  EXPECT_NEAR(maj_at_k(count, 1), 2.0 / 3, 1e-12);
  EXPECT_EQ(maj_at_k({.right = 2, .wrong = {2, 2, 1}, .none = 3}, 10), 1.0 / 3);
  EXPECT_EQ(maj_at_k({.right = 0, .wrong = {}, .none = 3}, 2), 0);
  EXPECT_EQ(maj_at_k({.right = 1, .wrong = {}, .none = 3}, 4), 1);
  EXPECT_THROW(maj_at_k(count, 4), Error);
  EXPECT_THROW(maj_at_k(count, 0), Error);
  EXPECT_THROW(maj_at_k({.right = 100, .wrong = {100}, .none = 0}, 65), Error);
}

TEST(Majority, ManySamplesStayExact) {
  // One right answer among n, all others different: of k drawn, a tie of k answers where the right one is drawn.
  const VoteCount lonely{.right = 1, .wrong = std::vector<int64_t>(4095, 1), .none = 0};
  EXPECT_NEAR(maj_at_k(lonely, 64), 64.0 / 4096 / 64, 1e-15);
  // Two answers of equal share: even odds, whatever k.
  EXPECT_NEAR(maj_at_k({.right = 500, .wrong = {500}, .none = 0}, 64), 0.5, 1e-12);
}

TEST(Votes, EqualAnswersVoteTogether) {
  const std::vector<Vote> votes = {{false, "1/2"}, {true, "0.25"}, {false, "0.5"},  {false, "\\frac{1}{2}"},
                                   {false, "3"},   {true, ""},     {false, " 1/2"}, {false, ""},
                                   {false, "x+1"}, {false, "1+x"}, {false, "3.0"}};
  const VoteCount count = count_votes(votes);
  EXPECT_EQ(count.right, 2);
  EXPECT_EQ(count.none, 1);
  EXPECT_THAT(count.wrong, testing::ElementsAre(4, 2, 2));
  EXPECT_EQ(count.total(), 11);
}

}  // namespace
}  // namespace agro
