#include "lab/sampled.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/error.h"
#include "lab/descent.h"
#include "lab/exact_gradient.h"
#include "lab/test_support.h"
#include "objective/agro.h"
#include "objective/registry.h"

namespace agro {
namespace {

using namespace testing;

constexpr double kBeta = 0.4;
constexpr uint64_t kSeed = 21;

/// The mean of many groups' gradients lies within 5 standard errors of `exact`, and these are small.
void expect_unbiased(const Objective& objective, const SampledPrompt& at, size_t n, bool on_policy,
                     const Vector& exact) {
  Random random(kSeed, Random::Purpose::kDraws);
  const std::vector<SampledPrompt> copies(20000, at);
  const auto estimates = sampled_gradients(objective, copies, n, on_policy, random);
  const auto count = static_cast<double>(estimates.size());
  for (size_t y = 0; y < exact.size(); ++y) {
    double mean = 0, square = 0;
    for (const SampledGradient& estimate : estimates) {
      mean += estimate.logits[y] / count;
      square += estimate.logits[y] * estimate.logits[y] / count;
    }
    const double error = std::sqrt((square - mean * mean) / count);
    EXPECT_LT(error, 0.01);
    EXPECT_LT(std::abs(mean - exact[y]), 5 * error) << objective.name() << ", n = " << n << ", seed " << kSeed;
  }
}

Vector scaled(Vector x, double factor) {
  for (double& value : x) value *= factor;
  return x;
}

TEST(SampledGradient, IsUnbiasedForTheExactOne) {  // spec §8, facts 2 and 4
  const TabularPrompt prompt = some_prompts(kBeta)[0];
  const Vector policy = random_logprobs(10, 22, 0), other = random_logprobs(10, 22, 1);
  const auto agro = laboratory_objective("agro", kBeta), foil = laboratory_objective("kl_policy_gradient", kBeta);
  const auto through = make_agro({.beta = kBeta, .through_sampling = true});
  for (const size_t n : {2u, 5u}) {
    for (const Source source : {Source::kReference, Source::kOtherModel, Source::kMixture}) {
      const Vector mu = Behavior(source, prompt, other).probabilities(policy);
      expect_unbiased(*agro, {&prompt, policy, mu}, n, false,
                      scaled(consistency_gradient(prompt, policy, mu), 1 / kBeta));
      expect_unbiased(*foil, {&prompt, policy, mu}, n, false, foil_gradient(prompt, policy, mu));
    }
    const SampledPrompt on_policy = {&prompt, policy, probabilities(policy)};
    expect_unbiased(*agro, on_policy, n, true, scaled(objective_gradient(prompt, policy), -1));
    expect_unbiased(*foil, on_policy, n, true, scaled(objective_gradient(prompt, policy), -1));
    expect_unbiased(*through, on_policy, n, true, scaled(through_sampling_gradient(prompt, policy), 1 / kBeta));
  }
}

TEST(SampledGradient, AtTheOptimumAgrosIsZeroWhateverIsSampled) {
  const TabularPrompt prompt = some_prompts(kBeta)[1];
  Random random(kSeed, Random::Purpose::kDraws);
  const SampledPrompt at = {&prompt, optimal_logprobs(prompt), probabilities(random_logprobs(10, 23, 0))};
  const auto largest = [&](const char* name) {
    double value = 0;
    for (int i = 0; i < 20; ++i) {
      const auto gradients = sampled_gradients(*laboratory_objective(name, kBeta), {&at, 1}, 4, false, random);
      for (const double x : gradients[0].logits) value = std::max(value, std::abs(x));
    }
    return value;
  };
  EXPECT_LT(largest("agro"), 1e-13);
  EXPECT_GT(largest("kl_policy_gradient"), 1e-2);
}

TEST(Descent, OfSampledGroupsReachesTheOptimumFromStoredData) {
  const std::vector<TabularProblem> problems = {random_problem({3, 5, kBeta}, 24, 0),
                                                random_problem({3, 5, kBeta}, 24, 1)};
  const std::vector<std::vector<Vector>> other_models(2, std::vector<Vector>(3, random_logprobs(5, 24, 0)));
  const auto end = [&](const char* name, Source source) {
    return stochastic_descent(*laboratory_objective(name, kBeta), problems, source, other_models,
                              {.steps = 1500, .record_every = 100, .seed = kSeed})
        .records.back();
  };
  for (const Source source : {Source::kUniform, Source::kReference, Source::kOtherModel, Source::kReplay})
    for (const double ratio : end("agro", source)) EXPECT_LT(ratio, 1e-6) << name_of(source);
  for (const double ratio : end("kl_policy_gradient", Source::kUniform)) EXPECT_GT(ratio, 1e-2);
}

TEST(Descent, IsTheSameForTheSameSeed) {
  const std::vector<TabularProblem> problems = {random_problem({2, 5, kBeta}, 25, 0)};
  const std::vector<std::vector<Vector>> other_models(1, std::vector<Vector>(2, random_logprobs(5, 25, 0)));
  const auto end = [&](uint64_t seed) {
    return stochastic_descent(*laboratory_objective("agro", kBeta), problems, Source::kPolicy, other_models,
                              {.steps = 20, .seed = seed})
        .records.back();
  };
  EXPECT_EQ(end(1), end(1));
  EXPECT_NE(end(1), end(2));
}

TEST(Descent, RecordsTheLastStepWhateverTheInterval) {
  const std::vector<TabularProblem> problems = {random_problem({2, 5, kBeta}, 27, 0)};
  const std::vector<std::vector<Vector>> other_models(1, std::vector<Vector>(2, random_logprobs(5, 27, 0)));
  const auto records = [&](size_t steps, size_t record_every) {
    const DescentOptions options = {.steps = steps, .record_every = record_every, .seed = kSeed};
    const Descent descent =
        stochastic_descent(*laboratory_objective("agro", kBeta), problems, Source::kReference, other_models, options);
    EXPECT_EQ(descent.records.size(), recorded_steps(options).size());
    return descent.records;
  };
  EXPECT_EQ(recorded_steps({.steps = 25, .record_every = 10}), (Vector{0, 10, 20, 25}));
  EXPECT_EQ(recorded_steps({.steps = 20, .record_every = 10}), (Vector{0, 10, 20}));
  EXPECT_LT(records(5, 10).back()[0], 0.9);
  EXPECT_EQ(records(5, 10).back(), records(5, 1).back());
}

TEST(Descent, CountsTheStepsItRefuses) {
  const std::vector<TabularProblem> problems = {random_problem({2, 5, kBeta}, 28, 0)};
  const std::vector<std::vector<Vector>> other_models(1, std::vector<Vector>(2, random_logprobs(5, 28, 0)));
  const auto refused = [&](double learning_rate) {
    return stochastic_descent(*laboratory_objective("kl_policy_gradient", kBeta), problems, Source::kUniform,
                              other_models, {.steps = 50, .learning_rate = learning_rate, .seed = kSeed})
        .refused;
  };
  EXPECT_EQ(refused(0.1), 0u);
  EXPECT_GT(refused(1e5), 0u);
}

TEST(Descent, WithALearnedValueReachesTheOptimum) {
  const std::vector<TabularProblem> problems = {random_problem({2, 5, kBeta}, 29, 0)};
  const std::vector<std::vector<Vector>> other_models(1, std::vector<Vector>(2, random_logprobs(5, 29, 0)));
  for (const char* name : {"dro", "agro_value"}) {
    const DescentOptions options = {.steps = 1500, .record_every = 100, .seed = kSeed};
    const Descent descent =
        stochastic_descent(*laboratory_objective(name, kBeta), problems, Source::kReference, other_models, options);
    EXPECT_LT(descent.records.back()[0], 1e-6) << name;
  }
}

TEST(LaboratoryObjective, ComesByName) {
  EXPECT_THROW(laboratory_objective("agrow", kBeta), Error);
  for (const std::string& name : objective_names()) EXPECT_EQ(laboratory_objective(name, kBeta)->name(), name);
  const std::vector<std::string> names = objective_names();
  for (const std::string& name : representative_objectives())
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
  try {
    laboratory_objective("foil", kBeta);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("kl_policy_gradient"), std::string::npos);
  }
}

TEST(LaboratoryObjective, EveryOneDescends) {
  const std::vector<TabularProblem> problems = {random_problem({2, 5, kBeta}, 26, 0)};
  const std::vector<std::vector<Vector>> other_models(1, std::vector<Vector>(2, random_logprobs(5, 26, 0)));
  for (const std::string& name : objective_names())
    for (const Source source : {Source::kPolicy, Source::kReference}) {
      const Descent descent = stochastic_descent(*laboratory_objective(name, kBeta), problems, source, other_models,
                                                 {.steps = 50, .learning_rate = 20, .seed = kSeed});
      EXPECT_TRUE(std::isfinite(descent.records.back()[0])) << name;
    }
}

}  // namespace
}  // namespace agro
