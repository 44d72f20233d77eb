// The reference during a run: moved towards the policy or not, and its own responses behind V*.
#include <gtest/gtest.h>

#include <cmath>

#include "data/text_tools.h"
#include "model/model_folder.h"
#include "objective/diagnostics.h"
#include "train/optimal_values.h"
#include "train/rl_trainer.h"
#include "train/test_support.h"

namespace agro {
namespace {

using testing::HasSubstr;

class ReferenceInTraining : public RunTest {
 protected:
  TrainConfig moving(const std::string& run, int64_t update_every, double ema) const {
    TrainConfig config = stored_addition(run);
    config.evaluate.prompts.clear();
    config.reference = {.update_every = update_every, .ema = ema};
    return config;
  }

  std::vector<double> kl_by_step(const std::string& run) const {
    std::vector<double> values;
    for (const Json& step : steps_of(run)) values.push_back(step.at("kl_k3").get<double>());
    return values;
  }
};

TEST_F(ReferenceInTraining, ACopyOfThePolicyIsAsFarAsTheLastStep) {
  run_rl(moving("copied", 1, 0), false);
  for (const double kl : kl_by_step("copied")) EXPECT_NEAR(kl, 0, 1e-9);
  run_rl(moving("frozen", 0, 0), false);
  EXPECT_GT(kl_by_step("frozen").back(), 1e-4);
}

TEST_F(ReferenceInTraining, EveryOtherStepResetsTheDistance) {
  run_rl(moving("run", 2, 0), false);
  const std::vector<double> kl = kl_by_step("run");
  for (const size_t step : {2, 4}) {
    EXPECT_NEAR(kl[step], 0, 1e-9);
    EXPECT_GT(kl[step + 1], 1e-7);
  }
}

TEST_F(ReferenceInTraining, KeepingAllOfItselfItStaysWhereItIs) {
  run_rl(moving("kept", 1, 1), false);
  run_rl(moving("frozen", 0, 0), false);
  EXPECT_EQ(read_file(folder_ / "kept/metrics.jsonl"), read_file(folder_ / "frozen/metrics.jsonl"));
}

TEST_F(ReferenceInTraining, WhatCannotMoveIsRefused) {
  TrainConfig half = moving("half", 1, 0.5);
  half.model.reference_dtype = "bfloat16";
  EXPECT_THAT(error_of([&] { run_rl(half, false); }), HasSubstr("needs a float32 reference"));
  TrainConfig values = moving("values", 1, 0.5);
  values.objective.name = "astar_po";
  EXPECT_THAT(error_of([&] { run_rl(values, false); }), HasSubstr("regresses onto V*"));
}

TEST_F(ReferenceInTraining, OptimalValuesAreThoseOfItsOwnResponses) {
  const TrainConfig config = addition("run");
  const ModelFolder folder{Path(config.model.path)};
  const CausalLm reference = folder.load(WeightDtype::kFloat32);
  const TextTools tools = load_text_tools(config.model.path);
  TotalReward reward(config.rewards);
  const TrainingData data =
      load_training_data(config, {}, make_encoders(tools, reference.config().eos_token_ids, true), reward,
                         {reference.config().max_position_embeddings, reference.config().vocab_size});
  const ResponseSampler sampler(data, config.sampling, config.engine, tools.tokenizer_or_null(), reward, 5);
  constexpr double kBeta = 0.3;
  constexpr int64_t kSamples = 16;
  OptimalValues values(reference, sampler, kBeta, kSamples);
  const auto of = [&](const std::vector<size_t>& prompts) {
    Rollout rollout;
    for (const size_t p : prompts) rollout.groups.push_back({p, {}});
    return values.of(rollout);
  };
  const Tensor first = of({4, 1, 7});
  const Tensor again = of({7, 2, 4});
  EXPECT_EQ(first[2].item<double>(), again[0].item<double>());
  EXPECT_EQ(first[0].item<double>(), again[2].item<double>());
  const auto drawn = sampler.draw(reference, {{1, 0, kSamples}}, Stream::kReference, 0);
  double sum = 0, right = 0;
  for (const DrawnResponse& d : drawn.front()) {
    sum += std::exp(d.response.reward / kBeta) / kSamples;
    right += d.response.reward;
  }
  EXPECT_GT(right, 0);
  EXPECT_LT(right, kSamples);
  EXPECT_NEAR(first[1].item<double>(), kBeta * std::log(sum), 1e-12);
}

}  // namespace
}  // namespace agro
