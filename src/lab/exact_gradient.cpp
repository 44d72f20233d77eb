#include "lab/exact_gradient.h"

#include <cmath>

namespace agro {
namespace {

/// w (x - mean_w x).
Vector weighted_departure(const Vector& weights, const Vector& x) {
  const double mean = weighted_mean(weights, x);
  Vector result(x.size());
  for (size_t y = 0; y < x.size(); ++y) result[y] = weights[y] * (x[y] - mean);
  return result;
}

Vector scaled(double factor, Vector x) {
  for (double& value : x) value *= factor;
  return x;
}

/// log π/π_ref - KL(π‖π_ref).
Vector centred_log_ratio(const TabularPrompt& prompt, const Vector& logprobs) {
  const double kl = kl_divergence(logprobs, prompt.ref_logprobs);
  Vector result(logprobs.size());
  for (size_t y = 0; y < result.size(); ++y) result[y] = logprobs[y] - prompt.ref_logprobs[y] - kl;
  return result;
}

}  // namespace

Vector consistency_gradient(const TabularPrompt& prompt, const Vector& logprobs, const Vector& mu) {
  return scaled(-prompt.beta, weighted_departure(mu, regularized_rewards(prompt, logprobs)));
}

SquareMatrix consistency_curvature(const TabularPrompt& prompt, const Vector& mu) {
  SquareMatrix matrix = softmax_covariance(mu);
  for (double& value : matrix.values) value *= prompt.beta * prompt.beta;
  return matrix;
}

Vector objective_gradient(const TabularPrompt& prompt, const Vector& logprobs) {
  return weighted_departure(probabilities(logprobs), regularized_rewards(prompt, logprobs));
}

Vector through_sampling_gradient(const TabularPrompt& prompt, const Vector& logprobs) {
  const Vector policy = probabilities(logprobs), rewards = regularized_rewards(prompt, logprobs);
  const double mean = weighted_mean(policy, rewards), half_variance = weighted_variance(policy, rewards) / 2;
  Vector gradient(policy.size());
  for (size_t y = 0; y < policy.size(); ++y) {
    const double departure = rewards[y] - mean;
    gradient[y] = policy[y] * (departure * departure / 2 - half_variance - prompt.beta * departure);
  }
  return gradient;
}

SquareMatrix through_sampling_curvature(const TabularPrompt& prompt, const Vector& logprobs) {
  const Vector policy = probabilities(logprobs), rewards = regularized_rewards(prompt, logprobs);
  const Vector gradient = through_sampling_gradient(prompt, logprobs);
  const double mean = weighted_mean(policy, rewards);
  SquareMatrix matrix = softmax_covariance(policy);
  for (size_t i = 0; i < policy.size(); ++i)
    for (size_t j = 0; j < policy.size(); ++j) {
      const double departure = rewards[i] - mean, other = rewards[j] - mean;
      const double score = gradient[i] / policy[i];
      matrix(i, j) = matrix(i, j) * (score - prompt.beta * (departure - prompt.beta)) -
                     policy[i] * (policy[j] * other * (departure - prompt.beta) + gradient[j]);
    }
  return matrix;
}

Vector foil_gradient(const TabularPrompt& prompt, const Vector& logprobs, const Vector& mu) {
  const Vector reward_term = weighted_departure(mu, prompt.rewards);
  Vector gradient = kl_gradient(prompt, logprobs);
  for (size_t y = 0; y < gradient.size(); ++y) gradient[y] = prompt.beta * gradient[y] - reward_term[y];
  return gradient;
}

SquareMatrix foil_curvature(const TabularPrompt& prompt, const Vector& logprobs, const Vector& mu,
                            double policy_share) {
  const Vector policy = probabilities(logprobs), ratio = centred_log_ratio(prompt, logprobs);
  const double mean = weighted_mean(mu, prompt.rewards), policy_mean = weighted_mean(policy, prompt.rewards);
  SquareMatrix matrix = softmax_covariance(policy);
  for (size_t i = 0; i < policy.size(); ++i)
    for (size_t j = 0; j < policy.size(); ++j) {
      const double moved =
          matrix(i, j) * (prompt.rewards[i] - mean) - mu[i] * policy[j] * (prompt.rewards[j] - policy_mean);
      const double kl = matrix(i, j) * (1 + ratio[i]) - policy[i] * policy[j] * ratio[j];
      matrix(i, j) = prompt.beta * kl - policy_share * moved;
    }
  return matrix;
}

Vector kl_gradient(const TabularPrompt& prompt, const Vector& logprobs) {
  Vector gradient = centred_log_ratio(prompt, logprobs);
  for (size_t y = 0; y < gradient.size(); ++y) gradient[y] *= std::exp(logprobs[y]);
  return gradient;
}

}  // namespace agro
