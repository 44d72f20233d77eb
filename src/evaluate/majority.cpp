#include "evaluate/majority.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include "core/error.h"
#include "reward/verify.h"

namespace agro {
namespace {

constexpr int64_t kLargestSubset = 64;  // C(n, 64) is a finite double for every number of samples allowed
constexpr size_t kMostCompared = 64;

std::string spelling(std::string_view answer) {
  std::string plain;
  for (const char c : answer) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return plain;
}

/// C(n, 0) … C(n, most).
std::vector<double> choices(int64_t n, int64_t most) {
  std::vector<double> row = {1};
  for (int64_t k = 1; k <= most; ++k)
    row.push_back(k > n ? 0 : row.back() * static_cast<double>(n - k + 1) / static_cast<double>(k));
  return row;
}

/// Ways to fill places with votes of the wrong answers and none, by places filled and answers that have exactly `top`
/// votes; nobody has more.
class Fillings {
 public:
  Fillings(int64_t places, int64_t top)
      : top_(top), ties_(static_cast<size_t>(places / top) + 1), ways_(static_cast<size_t>(places) + 1) {
    for (auto& row : ways_) row.assign(ties_, 0);
    ways_[0][0] = 1;
  }

  void add_answer(int64_t votes) { add(votes, top_, true); }
  void add_abstentions(int64_t count) { add(count, static_cast<int64_t>(ways_.size()) - 1, false); }

  /// Ways with every place filled, each weighed by the chance that a tie falls to the right answer.
  double won() const {
    double sum = 0;
    for (size_t t = 0; t < ties_; ++t) sum += ways_.back()[t] / static_cast<double>(t + 1);
    return sum;
  }

 private:
  void add(int64_t votes, int64_t most, bool ties) {
    const std::vector<double> ways_to_take = choices(votes, std::min(votes, most));
    std::vector<std::vector<double>> next(ways_.size(), std::vector<double>(ties_, 0));
    for (size_t filled = 0; filled < ways_.size(); ++filled) {
      for (size_t taken = 0; taken < ways_to_take.size() && filled + taken < ways_.size(); ++taken) {
        const size_t tie = ties && static_cast<int64_t>(taken) == top_ ? 1 : 0;
        for (size_t t = 0; t + tie < ties_; ++t)
          next[filled + taken][t + tie] += ways_[filled][t] * ways_to_take[taken];
      }
    }
    ways_ = std::move(next);
  }

  int64_t top_;
  size_t ties_;
  std::vector<std::vector<double>> ways_;  // [places filled][answers that tie]
};

/// Of all responses: there is one choice only.
double majority_of_all(const VoteCount& votes) {
  const int64_t most = votes.wrong.empty() ? 0 : *std::max_element(votes.wrong.begin(), votes.wrong.end());
  if (votes.right == 0 || most > votes.right) return 0;
  return 1 / static_cast<double>(1 + std::count(votes.wrong.begin(), votes.wrong.end(), votes.right));
}

}  // namespace

int64_t VoteCount::total() const { return std::accumulate(wrong.begin(), wrong.end(), right + none); }

VoteCount count_votes(std::span<const Vote> votes) {
  VoteCount count;
  std::vector<std::string_view> first;  // of each wrong answer, as it was written first
  std::unordered_map<std::string, size_t> known;
  const Verifier equal = find_verifier("strict");
  for (const Vote& vote : votes) {
    if (vote.right) {
      ++count.right;
      continue;
    }
    std::string written = spelling(vote.answer);
    if (written.empty()) {
      ++count.none;
      continue;
    }
    const auto [at, is_new] = known.emplace(std::move(written), first.size());
    if (is_new) {
      const auto end = first.begin() + static_cast<std::ptrdiff_t>(std::min(first.size(), kMostCompared));
      const auto same = std::find_if(
          first.begin(), end, [&](std::string_view other) { return equal(other, vote.answer, {}).equal == true; });
      if (same != end) {
        at->second = static_cast<size_t>(same - first.begin());
      } else {
        first.push_back(vote.answer);
        count.wrong.push_back(0);
      }
    }
    ++count.wrong[at->second];
  }
  return count;
}

double maj_at_k(const VoteCount& votes, int64_t k) {
  const int64_t n = votes.total();
  if (k < 1 || k > n || (k > kLargestSubset && k != n))
    throw fail("maj@k needs 1 ≤ k ≤ n, and k ≤ {} where k < n; found n = {}, k = {}", kLargestSubset, n, k);
  if (k == n) return majority_of_all(votes);
  const std::vector<double> right = choices(votes.right, std::min(votes.right, k));
  double won = 0;
  for (int64_t top = 1; top <= std::min(votes.right, k); ++top) {
    Fillings rest(k - top, top);
    for (const int64_t wrong : votes.wrong) rest.add_answer(wrong);
    rest.add_abstentions(votes.none);
    won += right[static_cast<size_t>(top)] * rest.won();
  }
  return won / choices(n, k).back();
}

}  // namespace agro
