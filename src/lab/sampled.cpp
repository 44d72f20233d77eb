#include "lab/sampled.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <fmt/ranges.h>

#include <cmath>

#include "lab/exact_gradient.h"
#include "objective/registry.h"
#include "tensor/torch_compat.h"

namespace agro {
namespace {

at::Tensor doubles(const Vector& values) { return at::tensor(at::ArrayRef<double>(values), at::kDouble); }

std::unique_ptr<Objective> configured(const std::string& name, double beta) {
  ObjectiveConfig config;
  config.name = name;
  config.beta = beta;
  if (name == "kl_policy_gradient") config.kl_estimator = "full_vocabulary";
  return make_objective(config);
}

std::string_view missing_need(const Objective& objective) {
  const ObjectiveNeeds needs = objective.needs();
  return needs.pairs ? "pairs" : needs.values ? "a value head" : "";
}

struct Draws {
  std::vector<size_t> responses;  // group after group
  ObjectiveInput input;
};

Draws draw_groups(std::span<const SampledPrompt> prompts, size_t n, bool on_policy, Random& random) {
  Draws draws;
  Vector logprobs, ref, behavior, rewards, kl, optimal_values;
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
    }
  }
  const auto count = static_cast<int64_t>(rewards.size()), groups = static_cast<int64_t>(prompts.size());
  draws.input.logprobs = doubles(logprobs);
  draws.input.ref_logprobs = doubles(ref);
  draws.input.behavior_logprobs = doubles(behavior);
  draws.input.full_vocabulary_kl = doubles(kl);
  draws.input.optimal_values = doubles(optimal_values);
  draws.input.rewards = doubles(rewards);
  draws.input.row = at::arange(count, at::kLong);
  draws.input.group = at::arange(groups, at::kLong).repeat_interleave(static_cast<int64_t>(n));
  draws.input.on_policy = at::full({count}, on_policy, at::kBool);
  return draws;
}

}  // namespace

std::vector<Vector> sampled_gradients(const Objective& objective, std::span<const SampledPrompt> prompts, size_t n,
                                      bool on_policy, Random& random) {
  const Draws draws = draw_groups(prompts, n, on_policy, random);
  const ObjectiveGradient result = evaluate_with_gradient(objective, draws.input);
  const auto groups = static_cast<double>(prompts.size());
  const double* weight = read_pointer<double>(result.logprobs);
  const double* kl_weight =
      result.full_vocabulary_kl.defined() ? read_pointer<double>(result.full_vocabulary_kl) : nullptr;
  std::vector<Vector> gradients;
  for (size_t g = 0; g < prompts.size(); ++g) {
    const SampledPrompt& at = prompts[g];
    Vector gradient(at.logprobs.size());
    double sum = 0, kl_sum = 0;
    for (size_t i = g * n; i < (g + 1) * n; ++i) {
      gradient[draws.responses[i]] += groups * weight[i];
      sum += groups * weight[i];
      if (kl_weight != nullptr) kl_sum += groups * kl_weight[i];
    }
    for (size_t y = 0; y < gradient.size(); ++y) gradient[y] -= sum * std::exp(at.logprobs[y]);
    if (kl_weight != nullptr) {
      const Vector kl = kl_gradient(*at.prompt, at.logprobs);
      for (size_t y = 0; y < gradient.size(); ++y) gradient[y] += kl_sum * kl[y];
    }
    gradients.push_back(std::move(gradient));
  }
  return gradients;
}

std::unique_ptr<Objective> laboratory_objective(const std::string& name, double beta) {
  auto objective = configured(name, beta);
  const std::string_view missing = missing_need(*objective);
  if (missing.empty()) return objective;
  throw fail("objective '{}' needs {}, which the laboratory's tables have not", name, missing)
      .hint(fmt::format("usable are {}", fmt::join(usable_objectives(), ", ")));
}

std::vector<std::string> usable_objectives() {
  std::vector<std::string> usable;
  for (const std::string& name : objective_names())
    if (missing_need(*configured(name, 1)).empty()) usable.push_back(name);
  return usable;
}

std::vector<std::string> representative_objectives() {
  return {"agro", "kl_policy_gradient", "rloo", "grpo", "importance_weighted", "topr", "asymmetric_reinforce"};
}

}  // namespace agro
