#include "lab/token_tree.h"

#include <cmath>

#include "core/error.h"

namespace agro {

TokenTree::TokenTree(size_t tokens, size_t length) : tokens_(tokens), length_(length), responses_(1), parameters_(0) {
  for (size_t t = 0; t < length; ++t) {
    responses_ *= tokens;
    first_.push_back(parameters_);
    parameters_ += responses_;
  }
  for (size_t t = 0, shared = responses_; t < length; ++t) below_.push_back(shared /= tokens);
}

size_t TokenTree::parameter(size_t response, size_t t) const { return first_[t] + response / below_[t]; }

Vector TokenTree::conditional_mean(const Vector& logprobs, const Vector& x) const {
  Vector sum(parameters_), mass(parameters_);
  for (size_t y = 0; y < responses_; ++y)
    for (size_t t = 0; t < length_; ++t) {
      sum[parameter(y, t)] += std::exp(logprobs[y]) * x[y];
      mass[parameter(y, t)] += std::exp(logprobs[y]);
    }
  for (size_t p = 0; p < parameters_; ++p) sum[p] /= mass[p];
  return sum;
}

Vector TokenTree::conditional_probabilities(const Vector& logprobs) const {
  Vector mass(parameters_);
  for (size_t y = 0; y < responses_; ++y)
    for (size_t t = 0; t < length_; ++t) mass[parameter(y, t)] += std::exp(logprobs[y]);
  for (size_t begin = 0; begin < parameters_; begin += tokens_) {
    double total = 0;
    for (size_t p = begin; p < begin + tokens_; ++p) total += mass[p];
    for (size_t p = begin; p < begin + tokens_; ++p) mass[p] /= total;
  }
  return mass;
}

std::vector<Vector> TokenTree::token_logprobs(const Vector& logprobs) const {
  const Vector conditional = conditional_probabilities(logprobs);
  std::vector<Vector> result(responses_, Vector(length_));
  for (size_t y = 0; y < responses_; ++y)
    for (size_t t = 0; t < length_; ++t) result[y][t] = std::log(conditional[parameter(y, t)]);
  return result;
}

void TokenTree::add_score(Vector& gradient, const Vector& conditional, size_t response, const Vector& weights) const {
  for (size_t t = 0; t < length_; ++t) {
    const size_t chosen = parameter(response, t), begin = chosen / tokens_ * tokens_;
    for (size_t p = begin; p < begin + tokens_; ++p) gradient[p] -= weights[t] * conditional[p];
    gradient[chosen] += weights[t];
  }
}

namespace {

/// What the estimates of all groups are made of, for every response y.
struct Scores {
  std::vector<Vector> weighted;  // Σ_t (credited return of t) ∇ log π(y_t)
  std::vector<Vector> plain;     // Σ_t ∇ log π(y_t)
  Vector regularized;            // R
};

/// The regularised return from every token on, [V^T][T]: r - β Σ_{s≥t} log π/π_ref.
std::vector<Vector> returns_from(const TokenTree& tree, const TabularPrompt& prompt, const Vector& logprobs) {
  std::vector<Vector> returns = tree.token_logprobs(logprobs);
  const std::vector<Vector> ref = tree.token_logprobs(prompt.ref_logprobs);
  for (size_t y = 0; y < returns.size(); ++y) {
    double rest = prompt.rewards[y];
    for (size_t t = tree.length(); t-- > 0;) returns[y][t] = rest -= prompt.beta * (returns[y][t] - ref[y][t]);
  }
  return returns;
}

/// Takes from the return of token t its mean given y_<t.
void subtract_prefix_means(const TokenTree& tree, const Vector& logprobs, std::vector<Vector>& returns) {
  for (size_t t = 0; t < tree.length(); ++t) {
    Vector column;
    for (const Vector& r : returns) column.push_back(r[t]);
    // Given y_<t is given the first t tokens: the mean behind token t - 1, or over everything.
    const Vector means = tree.conditional_mean(logprobs, column);
    const double overall = weighted_mean(probabilities(logprobs), column);
    for (size_t y = 0; y < returns.size(); ++y) returns[y][t] -= t == 0 ? overall : means[tree.parameter(y, t - 1)];
  }
}

Scores scores_of(const TokenTree& tree, const TabularPrompt& prompt, const Vector& logprobs, CreditRule rule) {
  std::vector<Vector> returns = returns_from(tree, prompt, logprobs);
  if (rule == CreditRule::kSequence)
    for (Vector& r : returns) r.assign(r.size(), r[0]);
  if (rule == CreditRule::kPrefixBaseline) subtract_prefix_means(tree, logprobs, returns);
  const Vector conditional = tree.conditional_probabilities(logprobs), ones(tree.length(), 1.0);
  Scores scores;
  scores.regularized = regularized_rewards(prompt, logprobs);
  for (size_t y = 0; y < returns.size(); ++y) {
    tree.add_score(scores.weighted.emplace_back(tree.parameters()), conditional, y, returns[y]);
    tree.add_score(scores.plain.emplace_back(tree.parameters()), conditional, y, ones);
  }
  return scores;
}

double squared_length(const Vector& x) { return weighted_mean(x, x); }

/// E x and E‖x - E x‖².
GradientMoments moments_of(const Vector& policy, const std::vector<Vector>& x) {
  GradientMoments moments;
  moments.mean.resize(x[0].size());
  for (size_t y = 0; y < x.size(); ++y)
    for (size_t p = 0; p < moments.mean.size(); ++p) moments.mean[p] += policy[y] * x[y][p];
  for (size_t y = 0; y < x.size(); ++y)
    for (size_t p = 0; p < moments.mean.size(); ++p)
      moments.variance += policy[y] * (x[y][p] - moments.mean[p]) * (x[y][p] - moments.mean[p]);
  return moments;
}

/// ½ (φ(i, j) + φ(j, i)) with φ(i, j) = weighted_i - R_j plain_i: the estimate from the pair.
Vector pair_kernel(const Scores& scores, size_t i, size_t j) {
  Vector kernel(scores.plain[i].size());
  for (size_t p = 0; p < kernel.size(); ++p)
    kernel[p] = (scores.weighted[i][p] - scores.regularized[j] * scores.plain[i][p] + scores.weighted[j][p] -
                 scores.regularized[i] * scores.plain[j][p]) /
                2;
  return kernel;
}

}  // namespace

GradientMoments credit_moments(const TokenTree& tree, const TabularPrompt& prompt, const Vector& logprobs,
                               CreditRule rule, size_t n) {
  if (n < 2) throw fail("a group needs at least 2 responses, found {}", n);
  const auto count = static_cast<double>(n);
  const Vector policy = probabilities(logprobs);
  const Scores scores = scores_of(tree, prompt, logprobs, rule);
  if (rule == CreditRule::kPrefixBaseline) {
    GradientMoments moments = moments_of(policy, scores.weighted);
    moments.variance /= count;
    return moments;
  }
  // Hoeffding: Var = 2/(n(n-1)) (2(n-2) Var E[h|i] + Var h), h the kernel of pairs. Scores have mean zero, so that
  // E[h|i] = ½ (weighted_i - E[R] plain_i) + constant.
  const double mean_reward = weighted_mean(policy, scores.regularized);
  std::vector<Vector> projected = scores.weighted;
  for (size_t y = 0; y < projected.size(); ++y)
    for (size_t p = 0; p < projected[y].size(); ++p) projected[y][p] -= mean_reward * scores.plain[y][p];
  GradientMoments moments = moments_of(policy, projected);
  double pair_variance = 0;
  for (size_t i = 0; i < policy.size(); ++i)
    for (size_t j = 0; j < policy.size(); ++j) {
      Vector departure = pair_kernel(scores, i, j);
      for (size_t p = 0; p < departure.size(); ++p) departure[p] -= moments.mean[p];
      pair_variance += policy[i] * policy[j] * squared_length(departure);
    }
  moments.variance = 2 / (count * (count - 1)) * (2 * (count - 2) * moments.variance / 4 + pair_variance);
  return moments;
}

Vector pair_estimate(const TokenTree& tree, const TabularPrompt& prompt, const Vector& logprobs, CreditRule rule,
                     size_t first, size_t second) {
  return pair_kernel(scores_of(tree, prompt, logprobs, rule), first, second);
}

}  // namespace agro
