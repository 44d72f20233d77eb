#pragma once
// An autoregressive table: every response is T tokens of V, and each prefix has its own next-token distribution. Small
// enough to sum over all V^T responses and over all pairs of them.
#include <vector>

#include "lab/tabular.h"

namespace agro {

/// Responses are numbered 0 … V^T - 1, their tokens being the digits in base V, first token first.
class TokenTree {
 public:
  TokenTree(size_t tokens, size_t length);

  size_t length() const { return length_; }
  size_t responses() const { return responses_; }
  size_t parameters() const { return parameters_; }  // logits of all prefixes

  /// [V^T][T] log-probabilities of each response's tokens, of the table that gives the responses these
  /// log-probabilities.
  std::vector<Vector> token_logprobs(const Vector& logprobs) const;

  /// The place of token t of a response among the parameters; its prefix's logits start at a multiple of V.
  size_t parameter(size_t response, size_t t) const;

  /// gradient += Σ_t weights[t] ∇ log π(y_t | y_<t), by the logits. conditional: [parameters] probabilities.
  void add_score(Vector& gradient, const Vector& conditional, size_t response, const Vector& weights) const;

  /// [parameters] the next-token probabilities of every prefix.
  Vector conditional_probabilities(const Vector& logprobs) const;

  /// [parameters] E[x | prefix and token] under the responses' probabilities.
  Vector conditional_mean(const Vector& logprobs, const Vector& x) const;

 private:
  size_t tokens_, length_, responses_, parameters_;
  std::vector<size_t> first_;  // of each level's parameters
  std::vector<size_t> below_;  // responses that share t + 1 tokens
};

/// How a token is credited on-policy (A10).
enum class CreditRule {
  kSequence,        // R_i - R̄_{-i} for every token
  kToken,           // the regularised return from t on, - R̄_{-i}
  kPrefixBaseline,  // the same return, - its mean given the prefix; from sequence credit the same baseline gives the
                    // same
};

/// Mean and variance (trace of the covariance) of the estimate of ∇J from one group of n responses, exact.
struct GradientMoments {
  Vector mean;
  double variance = 0;
};

/// The prompt's "responses" are those of the tree; logprobs: [V^T] of the policy. The estimate is a U-statistic of
/// pairs, so that Hoeffding's formula gives its variance for every n ≥ 2 from sums over pairs.
GradientMoments credit_moments(const TokenTree& tree, const TabularPrompt& prompt, const Vector& logprobs,
                               CreditRule rule, size_t n);

/// The estimate from one pair of responses (n = 2), of kSequence or kToken.
Vector pair_estimate(const TokenTree& tree, const TabularPrompt& prompt, const Vector& logprobs, CreditRule rule,
                     size_t first, size_t second);

}  // namespace agro
