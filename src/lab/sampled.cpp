#include "lab/sampled.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>

#include <cmath>

#include "core/error.h"
#include "lab/exact_gradient.h"
#include "objective/registry.h"
#include "tensor/torch_compat.h"

namespace agro {
namespace {

/// What docs/theory.md calls kl_policy_gradient.
constexpr std::string_view kNickname = "foil";

at::Tensor doubles(const Vector& values) { return at::tensor(at::ArrayRef<double>(values), at::kDouble); }

struct Draws {
  std::vector<size_t> responses;  // group after group
  ObjectiveInput input;
};

at::Tensor pairs_by_reward(const Vector& rewards, size_t n) {
  std::vector<int64_t> pairs;
  for (size_t group = 0; group < rewards.size(); group += n)
    for (size_t i = group; i + 1 < group + n; i += 2) {
      if (rewards[i] == rewards[i + 1]) continue;
      const size_t chosen = rewards[i] > rewards[i + 1] ? i : i + 1, rejected = 2 * i + 1 - chosen;
      pairs.push_back(static_cast<int64_t>(chosen));
      pairs.push_back(static_cast<int64_t>(rejected));
    }
  return at::tensor(at::ArrayRef<int64_t>(pairs), at::kLong).view({-1, 2});
}

Draws draw_groups(std::span<const SampledPrompt> prompts, size_t n, bool on_policy, bool with_pairs, Random& random) {
  Draws draws;
  Vector logprobs, ref, behavior, rewards, kl, values, optimal_values;
  for (const SampledPrompt& at : prompts) {
    const double divergence = kl_divergence(at.logprobs, at.prompt->ref_logprobs);
    optimal_values.push_back(optimal_value(*at.prompt));
    for (size_t i = 0; i < n; ++i) {
      const size_t y = random.index(at.mu);
      draws.responses.push_back(y);
      logprobs.push_back(at.logprobs[y]);
      ref.push_back(at.prompt->ref_logprobs[y]);
      behavior.push_back(std::log(at.mu[y]));
      rewards.push_back(at.prompt->rewards[y]);
      kl.push_back(divergence);
      values.push_back(at.value);
    }
  }
  const auto count = static_cast<int64_t>(rewards.size()), groups = static_cast<int64_t>(prompts.size());
  draws.input.logprobs = doubles(logprobs);
  draws.input.ref_logprobs = doubles(ref);
  draws.input.behavior_logprobs = doubles(behavior);
  draws.input.full_vocabulary_kl = doubles(kl);
  draws.input.values = doubles(values);
  if (with_pairs) draws.input.pairs = pairs_by_reward(rewards, n);
  draws.input.optimal_values = doubles(optimal_values);
  draws.input.rewards = doubles(rewards);
  draws.input.row = at::arange(count, at::kLong);
  draws.input.group = at::arange(groups, at::kLong).repeat_interleave(static_cast<int64_t>(n));
  draws.input.on_policy = at::full({count}, on_policy, at::kBool);
  return draws;
}

std::vector<SampledGradient> no_gradients(std::span<const SampledPrompt> prompts) {
  std::vector<SampledGradient> gradients;
  for (const SampledPrompt& at : prompts) gradients.push_back({Vector(at.logprobs.size())});
  return gradients;
}

}  // namespace

std::vector<SampledGradient> sampled_gradients(const Objective& objective, std::span<const SampledPrompt> prompts,
                                               size_t n, bool on_policy, Random& random) {
  const bool with_pairs = objective.needs().pairs;
  const Draws draws = draw_groups(prompts, n, on_policy, with_pairs, random);
  if (with_pairs && draws.input.pairs.numel() == 0) return no_gradients(prompts);
  const ObjectiveGradient result = evaluate_with_gradient(objective, draws.input);
  const auto groups = static_cast<double>(prompts.size());
  const auto pointer = [](const at::Tensor& x) { return x.defined() ? read_pointer<double>(x) : nullptr; };
  const double* weight = pointer(result.logprobs);
  const double* kl_weight = pointer(result.full_vocabulary_kl);
  const double* value_weight = pointer(result.values);
  std::vector<SampledGradient> gradients;
  for (size_t g = 0; g < prompts.size(); ++g) {
    const SampledPrompt& at = prompts[g];
    SampledGradient gradient = {Vector(at.logprobs.size())};
    double sum = 0, kl_sum = 0;
    for (size_t i = g * n; i < (g + 1) * n; ++i) {
      gradient.logits[draws.responses[i]] += groups * weight[i];
      sum += groups * weight[i];
      if (kl_weight != nullptr) kl_sum += groups * kl_weight[i];
      if (value_weight != nullptr) gradient.value += groups * value_weight[i];
    }
    for (size_t y = 0; y < gradient.logits.size(); ++y) gradient.logits[y] -= sum * std::exp(at.logprobs[y]);
    if (kl_weight != nullptr) {
      const Vector kl = kl_gradient(*at.prompt, at.logprobs);
      for (size_t y = 0; y < gradient.logits.size(); ++y) gradient.logits[y] += kl_sum * kl[y];
    }
    gradients.push_back(std::move(gradient));
  }
  return gradients;
}

std::unique_ptr<Objective> laboratory_objective(const std::string& name, double beta) {
  if (name == kNickname) throw fail("unknown objective '{}'", name).hint("its name is kl_policy_gradient");
  ObjectiveConfig config;
  config.name = name;
  config.beta = beta;
  if (name == "kl_policy_gradient") config.kl_estimator = "full_vocabulary";
  return make_objective(config);
}

std::vector<std::string> representative_objectives() {
  return {"agro", "kl_policy_gradient", "rloo", "grpo", "importance_weighted", "topr", "asymmetric_reinforce"};
}

}  // namespace agro
