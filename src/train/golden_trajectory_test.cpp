// Ten-odd optimiser steps against transformers + PyTorch: forward, backward, objective, clipping and AdamW together
// (tests/golden/README.md, `trajectories` of llama_gqa), and the learning-rate schedules.
#include <gtest/gtest.h>

#include "core/json.h"
#include "model/completion_batch.h"
#include "model/model_folder.h"
#include "objective/registry.h"
#include "train/optimizer.h"

namespace agro {
namespace {

const Path kGolden = Path(AGRO_SOURCE_DIR) / "tests/golden";

class Trajectory : public ::testing::Test {
 protected:
  void expect_relative(double found, const Json& expected, const std::string& what) {
    EXPECT_NEAR(found, expected.get<double>(), 1e-3 * std::abs(expected.get<double>())) << what;
  }

  /// Runs `steps` steps of loss(with_gradients) and compares losses and gradient norms.
  void follow(const Json& expected, AdamW& optimizer, double learning_rate, const std::function<double(bool)>& loss) {
    const Json& losses = expected["loss_before_each_step_then_final"];
    const Json& norms = expected["grad_norm_before_clip"];
    for (size_t step = 0; step < norms.size(); ++step) {
      optimizer.zero_gradients();
      expect_relative(loss(true), losses[step], fmt::format("loss before step {}", step));
      const double norm = optimizer.gradient_norm();
      expect_relative(norm, norms[step], fmt::format("gradient norm of step {}", step));
      optimizer.step(learning_rate, norm);
    }
    expect_relative(loss(false), losses.back(), "final loss");
  }

  CausalLm model = ModelFolder(kGolden / "llama_gqa").load(WeightDtype::kFloat32);
  Json golden = read_json(kGolden / "llama_gqa/golden.json");
};

TEST_F(Trajectory, SupervisedFineTuning) {
  std::vector<TokenIds> rows;
  for (size_t row = 0; row < 2; ++row) {
    TokenIds ids;
    for (size_t t = 0; t < golden["input_ids"][row].size(); ++t)
      if (golden["attention_mask"][row][t].get<int>() == 1) ids.push_back(golden["input_ids"][row][t].get<TokenId>());
    rows.push_back(ids);
  }
  AdamW optimizer(std::vector<ParameterGroup>{{model.parameters()}},
                  {.beta1 = 0.9, .beta2 = 0.95, .weight_decay = 0.1, .clip_norm = 1.0});
  follow(golden["trajectories"]["sft"], optimizer, 1e-3, [&](bool with_gradients) {
    const std::vector<PromptCompletion> items{{std::span(rows[0]).first(1), std::span(rows[0]).subspan(1)},
                                              {std::span(rows[1]).first(1), std::span(rows[1]).subspan(1)}};
    const Tensor loss = -completion_logprobs(model, items).mean();
    if (with_gradients) loss.backward();
    return loss.item<double>();
  });
}

class RlTrajectory : public Trajectory, public ::testing::WithParamInterface<std::string> {};

TEST_P(RlTrajectory, FixedBatch) {
  const Json& batch = golden["trajectories"]["rl_batch"];
  const auto rows = batch["prompt_ids"].size();
  const auto n = batch["n_generations"].get<int64_t>();
  std::vector<TokenIds> prompts, completions;
  std::vector<double> ref;
  std::vector<int64_t> row_of, group;
  for (size_t r = 0; r < rows; ++r) {
    prompts.push_back(batch["prompt_ids"][r].get<TokenIds>());
    completions.emplace_back();
    for (size_t t = 0; t < batch["completion_ids"][r].size(); ++t) {
      if (batch["completion_mask"][r][t].get<double>() == 0) continue;
      completions.back().push_back(batch["completion_ids"][r][t].get<TokenId>());
      ref.push_back(batch["ref_logps"][r][t].get<double>());
      row_of.push_back(static_cast<int64_t>(r));
    }
    group.push_back(static_cast<int64_t>(r) / n);
  }
  std::vector<PromptCompletion> items;
  for (size_t r = 0; r < rows; ++r) items.push_back({prompts[r], completions[r]});

  ObjectiveConfig config;
  config.beta = 0.05;
  if (GetParam() == "agro") config.loss_scale = "none";
  if (GetParam() == "agro_loo_pg") config.form = "surrogate";
  const auto objective = make_objective(config);
  AdamW optimizer(std::vector<ParameterGroup>{{model.parameters()}}, {.beta1 = 0.9, .beta2 = 0.999, .clip_norm = 1.0});
  follow(golden["trajectories"][GetParam()], optimizer, 5e-4, [&](bool with_gradients) {
    const Tensor logprobs = completion_logprobs(model, items);
    ObjectiveInput input;
    input.logprobs = logprobs.detach().to(torch::kDouble);
    input.ref_logprobs = torch::tensor(ref, torch::kDouble);
    input.row = int64_tensor(row_of);
    input.rewards = torch::tensor(batch["rewards"].get<std::vector<double>>(), torch::kDouble);
    input.group = int64_tensor(group);
    const ObjectiveGradient gradient = evaluate_with_gradient(*objective, input);
    if (with_gradients) (logprobs * gradient.logprobs.to(torch::kFloat)).sum().backward();
    return gradient.loss;
  });
}

INSTANTIATE_TEST_SUITE_P(Agro, RlTrajectory, ::testing::Values("agro", "agro_loo_pg"),
                         [](const auto& test) { return test.param; });

TEST(Schedule, AsTransformersHasThem) {
  for (const Json& schedule : read_json(kGolden / "misc/lr_schedules.json")) {
    const std::string name = schedule["name"].get<std::string>();
    OptimizerConfig config;
    config.learning_rate = schedule["base_lr"].get<double>();
    config.schedule = name.starts_with("constant") ? "constant" : name;
    config.warmup_steps = schedule["args"]["num_warmup_steps"].get<int64_t>();
    const int64_t total = schedule["args"].value("num_training_steps", int64_t{1000});
    const Json& expected = schedule["lr_used_at_step_0_1_2"];
    for (size_t step = 0; step < expected.size(); ++step) {
      // Past the end transformers' cosine would climb again; nobody trains there.
      if (static_cast<int64_t>(step) > total) break;
      EXPECT_NEAR(learning_rate_at(config, static_cast<int64_t>(step), total), expected[step].get<double>(), 1e-12)
          << name << " " << step;
    }
  }
}

}  // namespace
}  // namespace agro
