#include "lab/tabular.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lab/random.h"

namespace agro {
namespace {

Vector random_logits(size_t count, Random& random) {
  Vector logits(count);
  for (double& x : logits) x = random.normal();
  return logits;
}

double log_sum_exp(const Vector& x) {
  const double largest = *std::max_element(x.begin(), x.end());
  double sum = 0;
  for (const double value : x) sum += std::exp(value - largest);
  return largest + std::log(sum);
}

/// log π_ref + λ r / β: logits of the policies between π_ref and π*.
Vector tilted_logits(const TabularPrompt& prompt, double share) {
  Vector logits = prompt.ref_logprobs;
  for (size_t y = 0; y < logits.size(); ++y) logits[y] += share * prompt.rewards[y] / prompt.beta;
  return logits;
}

}  // namespace

TabularProblem random_problem(const ProblemShape& shape, uint64_t seed, size_t index) {
  Random random(seed, Random::Purpose::kProblem, index);
  TabularProblem problem(shape.prompts);
  for (TabularPrompt& prompt : problem) {
    prompt.beta = shape.beta;
    prompt.ref_logprobs = log_softmax(random_logits(shape.responses, random));
    for (size_t y = 0; y < shape.responses; ++y) prompt.rewards.push_back(random.uniform());
  }
  return problem;
}

Vector random_logprobs(size_t responses, uint64_t seed, size_t index) {
  Random random(seed, Random::Purpose::kOtherModel, index);
  return log_softmax(random_logits(responses, random));
}

Vector log_softmax(const Vector& logits) {
  const double normalizer = log_sum_exp(logits);
  Vector logprobs = logits;
  for (double& x : logprobs) x -= normalizer;
  return logprobs;
}

Vector probabilities(const Vector& logprobs) {
  Vector result = logprobs;
  for (double& x : result) x = std::exp(x);
  return result;
}

double weighted_mean(const Vector& weights, const Vector& x) {
  return std::inner_product(weights.begin(), weights.end(), x.begin(), 0.0);
}

double weighted_variance(const Vector& weights, const Vector& x) {
  const double mean = weighted_mean(weights, x);
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += weights[i] * (x[i] - mean) * (x[i] - mean);
  return sum;
}

Vector optimal_logprobs(const TabularPrompt& prompt) { return logprobs_on_the_way(prompt, 1); }

Vector logprobs_on_the_way(const TabularPrompt& prompt, double share) {
  return log_softmax(tilted_logits(prompt, share));
}

double optimal_value(const TabularPrompt& prompt) { return prompt.beta * log_sum_exp(tilted_logits(prompt, 1)); }

double objective_value(const TabularPrompt& prompt, const Vector& logprobs) {
  return weighted_mean(probabilities(logprobs), regularized_rewards(prompt, logprobs));
}

Vector regularized_rewards(const TabularPrompt& prompt, const Vector& logprobs) {
  Vector result = prompt.rewards;
  for (size_t y = 0; y < result.size(); ++y) result[y] -= prompt.beta * (logprobs[y] - prompt.ref_logprobs[y]);
  return result;
}

double kl_divergence(const Vector& logprobs, const Vector& other) {
  double sum = 0;
  for (size_t y = 0; y < logprobs.size(); ++y) sum += std::exp(logprobs[y]) * (logprobs[y] - other[y]);
  return sum;
}

}  // namespace agro
