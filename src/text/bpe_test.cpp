#include "text/bpe.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <random>

namespace agro {
namespace {

/// The definition, word by word: while any neighbours merge, merge the pair of lowest rank, the leftmost of equals.
std::vector<std::string> merge_slowly(const std::string& word,
                                      const std::map<std::pair<std::string, std::string>, int>& ranks) {
  std::vector<std::string> symbols;
  for (const char c : word) symbols.emplace_back(1, c);
  for (;;) {
    size_t best = symbols.size();
    int best_rank = std::numeric_limits<int>::max();
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      const auto rank = ranks.find({symbols[i], symbols[i + 1]});
      if (rank != ranks.end() && rank->second < best_rank) {
        best = i;
        best_rank = rank->second;
      }
    }
    if (best == symbols.size()) return symbols;
    symbols[best] += symbols[best + 1];
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

TEST(Bpe, QueueGivesWhatTheDefinitionGives) {
  const unsigned seed = 20250701;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](size_t bound) { return random() % bound; };
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<std::string> tokens = {"a", "b", "c"};
    std::map<std::pair<std::string, std::string>, int> ranks;
    Json model = {{"vocab", {{"a", 0}, {"b", 1}, {"c", 2}}}, {"merges", Json::array()}};
    for (int rank = 0; rank < 40; ++rank) {
      const std::string left = tokens[below(tokens.size())], right = tokens[below(tokens.size())];
      model["merges"].push_back({left, right});
      ranks[{left, right}] = rank;
      if (model["vocab"].contains(left + right)) continue;
      model["vocab"][left + right] = tokens.size();
      tokens.push_back(left + right);
    }
    const Bpe bpe = Bpe::parse(model);
    Bpe::Workspace workspace;
    for (int i = 0; i < 20; ++i) {
      std::string word;
      while (word.size() < 60) word += static_cast<char>('a' + below(3));
      TokenIds ids;
      bpe.encode(word, workspace, ids);
      std::vector<std::string> pieces;
      for (const TokenId id : ids) pieces.push_back(*bpe.vocabulary().token(id));
      ASSERT_EQ(pieces, merge_slowly(word, ranks)) << model;
    }
  }
}

TEST(Bpe, OfRepeatedMergesTheLastCounts) {
  const auto encode = [](const char* merges) {
    const Json vocab = {{"a", 0}, {"b", 1}, {"c", 2}, {"ab", 3}, {"bc", 4}};
    TokenIds ids;
    Bpe::Workspace workspace;
    Bpe::parse({{"vocab", vocab}, {"merges", Json::parse(merges)}}).encode("abc", workspace, ids);
    return ids;
  };
  EXPECT_EQ(encode(R"(["a b", "b c"])"), (TokenIds{3, 2}));
  EXPECT_EQ(encode(R"(["a b", "b c", "a b"])"), (TokenIds{0, 4}));
}

}  // namespace
}  // namespace agro
