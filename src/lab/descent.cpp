#include "lab/descent.h"

#include "lab/flow.h"

namespace agro {
namespace {

/// The prompts of all problems in one row, with the data that each draws.
struct Row {
  std::vector<SampledPrompt> prompts;
  std::vector<Behavior> behaviors;
};

Row row_of(std::span<const TabularProblem> problems, Source source, std::span<const std::vector<Vector>> other_models) {
  Row row;
  for (size_t i = 0; i < problems.size(); ++i)
    for (size_t x = 0; x < problems[i].size(); ++x) {
      const TabularPrompt& prompt = problems[i][x];
      row.prompts.push_back({&prompt, prompt.ref_logprobs, {}, 0});
      row.behaviors.emplace_back(source, prompt, other_models[i][x]);
    }
  return row;
}

Vector divergences(std::span<const TabularProblem> problems, const Row& row) {
  Vector result;
  size_t next = 0;
  for (const TabularProblem& problem : problems) {
    std::vector<Vector> logprobs;
    for (size_t x = 0; x < problem.size(); ++x) logprobs.push_back(row.prompts[next++].logprobs);
    result.push_back(divergence_from_optimum(problem, logprobs));
  }
  return result;
}

}  // namespace

double divergence_from_optimum(const TabularProblem& problem, std::span<const Vector> logprobs) {
  double sum = 0;
  for (size_t x = 0; x < problem.size(); ++x) sum += kl_divergence(logprobs[x], optimal_logprobs(problem[x]));
  return sum;
}

Vector recorded_steps(const DescentOptions& options) {
  Vector steps;
  for (size_t step = 0; step < options.steps; step += options.record_every) steps.push_back(static_cast<double>(step));
  steps.push_back(static_cast<double>(options.steps));
  return steps;
}

Descent stochastic_descent(const Objective& objective, std::span<const TabularProblem> problems, Source source,
                           std::span<const std::vector<Vector>> other_models, const DescentOptions& options) {
  Row row = row_of(problems, source, other_models);
  Random random(options.seed, Random::Purpose::kDraws);
  const Vector start = divergences(problems, row);
  Descent descent;
  const auto record = [&] {
    Vector ratios = divergences(problems, row);
    for (size_t i = 0; i < ratios.size(); ++i) ratios[i] /= start[i];
    descent.records.push_back(std::move(ratios));
    for (size_t p = 0; p < row.prompts.size(); ++p) row.behaviors[p].remember(row.prompts[p].logprobs);
  };
  record();
  for (size_t step = 1; step <= options.steps; ++step) {
    for (size_t p = 0; p < row.prompts.size(); ++p)
      row.prompts[p].mu = row.behaviors[p].probabilities(row.prompts[p].logprobs);
    const std::vector<SampledGradient> gradients =
        sampled_gradients(objective, row.prompts, options.group_size, source == Source::kPolicy, random);
    for (size_t p = 0; p < row.prompts.size(); ++p) {
      SampledPrompt& at = row.prompts[p];
      at.value -= options.value_learning_rate * gradients[p].value;
      Vector moved = at.logprobs;
      for (size_t y = 0; y < moved.size(); ++y) moved[y] -= options.learning_rate * gradients[p].logits[y];
      moved = log_softmax(moved);
      if (has_diverged(moved))
        ++descent.refused;
      else
        at.logprobs = std::move(moved);
    }
    if (step % options.record_every == 0 || step == options.steps) record();
  }
  return descent;
}

}  // namespace agro
