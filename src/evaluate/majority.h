#pragma once
// maj@k: is the answer that most of k responses give the right one?
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace agro {

/// What one response votes for.
struct Vote {
  bool right = false;  // as its reward says
  std::string answer;  // the answer found in it; empty: none. Not looked at where `right`
};

/// The votes of one prompt's responses, counted.
struct VoteCount {
  int64_t right = 0;           // votes for the right answer
  std::vector<int64_t> wrong;  // votes for each wrong answer, all > 0
  int64_t none = 0;            // responses without an answer: they take a place among the k and vote for nothing

  int64_t total() const;
};

/// Right responses vote for one answer: they all agree with the given one. Wrong ones vote together where their answers
/// are written alike (but for spaces and case) or are equal under the verifier "strict"; an answer joins the first such
/// one, in the order of the responses. Beyond 64 different answers only spelling counts, so that the work is bounded.
VoteCount count_votes(std::span<const Vote> votes);

/// The chance that the answer with most votes among k of the responses, drawn without replacement, is the right one:
/// exact over all C(n, k) choices. Of answers with equally many votes one is taken with equal chances, so that a tie of
/// the right answer with t others counts 1 / (t + 1). Without any vote nothing is right. Throws Error unless
/// 1 ≤ k ≤ n and (k ≤ 64 or k = n).
double maj_at_k(const VoteCount& votes, int64_t k);

}  // namespace agro
