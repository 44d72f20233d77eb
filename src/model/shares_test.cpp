#include "model/shares.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tensor/ops/instruction_sets_test.h"

namespace agro {
namespace {

/// Rows of the shares that `threads` threads get of sequences of these lengths, with light weights.
std::vector<int64_t> rows_of_shares(int threads, const std::vector<int64_t>& lengths, const Prefixes& prefixes = {}) {
  const ThreadsForTest set(threads);
  Offsets offsets{0};
  for (const int64_t length : lengths) offsets.push_back(offsets.back() + length);
  std::vector<Share> shares;
  divide_into_shares({offsets, prefixes}, whole(offsets), 1000, shares);
  std::vector<int64_t> rows;
  for (const Share& share : shares) rows.push_back(share.rows);
  return rows;
}

TEST(Shares, AreOfLikeSize) {
  EXPECT_EQ(rows_of_shares(2, {40, 40, 40, 40}), (std::vector<int64_t>{80, 80}));
  EXPECT_EQ(rows_of_shares(4, {40, 40, 40, 40}), (std::vector<int64_t>{40, 40, 40, 40}));
  EXPECT_EQ(rows_of_shares(2, std::vector<int64_t>(64, 64)).size(), 42U);
}

TEST(Shares, OfSingleTokensHaveTwoAtLeast) {
  EXPECT_EQ(rows_of_shares(2, {1, 1, 1, 1}), (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(rows_of_shares(2, {1, 1, 1}), (std::vector<int64_t>{3}));
}

TEST(Shares, GiveWayToOperatorsWhereThreadsWouldWait) {
  EXPECT_EQ(rows_of_shares(2, {40, 40, 40}), (std::vector<int64_t>{120}))
      << "one thread would do twice the other's work";
  EXPECT_EQ(rows_of_shares(2, {4000, 100, 100}), (std::vector<int64_t>{4200}));
  EXPECT_EQ(rows_of_shares(3, {40, 40}), (std::vector<int64_t>{80})) << "a thread would have none";
  // Two groups are two shares at most, however many responses they have.
  const Prefixes groups{-1, 0, 0, 0, -1, 4, 4, 4};
  EXPECT_EQ(rows_of_shares(2, std::vector<int64_t>(8, 20), groups), (std::vector<int64_t>{80, 80}));
  EXPECT_EQ(rows_of_shares(4, std::vector<int64_t>(8, 20), groups), (std::vector<int64_t>{160}));
}

TEST(Shares, RowsAreCutWhereverSequencesLie) {
  const ThreadsForTest three(3);
  std::vector<Share> shares;
  const auto rows = [&](const Share& part, int64_t weight_bytes) {
    divide_rows(part, weight_bytes, shares);
    std::vector<std::pair<int64_t, int64_t>> all;
    for (const Share& share : shares) all.emplace_back(share.first_row, share.rows);
    return all;
  };
  using Rows = std::vector<std::pair<int64_t, int64_t>>;
  EXPECT_EQ(rows({4, 5, 100, 11}, 1000), (Rows{{100, 3}, {103, 4}, {107, 4}}));
  EXPECT_EQ(rows({4, 5, 100, 5}, 1000), (Rows{{100, 5}})) << "fewer than two rows for a thread";
  EXPECT_EQ(rows({4, 5, 100, 150}, 1 << 30), (Rows{{100, 150}})) << "too few rows to read large weights for";
}

TEST(Shares, APartIsCutWithinItself) {
  const Offsets offsets{0, 10, 20, 30, 40, 50};
  const Prefixes prefixes{-1, -1, -1, 1, 2};  // sequences 1 to 4 hang together
  std::vector<Share> shares;
  const auto ends = [&] {
    std::vector<int64_t> all;
    for (const Share& share : shares) all.push_back(share.end);
    return all;
  };
  cut({offsets, prefixes}, whole(offsets), 5, shares);
  EXPECT_EQ(ends(), (std::vector<int64_t>{1, 5}));
  cut({offsets, {}}, {1, 5, 10, 40}, 2, shares);
  EXPECT_EQ(ends(), (std::vector<int64_t>{3, 5}));
  EXPECT_EQ(shares[1].first_row, 30);
}

}  // namespace
}  // namespace agro
