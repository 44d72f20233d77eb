// [lora] in whole runs: what is trained, what is not, and what is left behind.
#include "model/lora.h"

#include <gtest/gtest.h>

#include "core/parallel.h"
#include "model/completion_batch.h"
#include "model/model_folder.h"
#include "train/checkpoint.h"
#include "train/rl_trainer.h"
#include "train/run_loop.h"
#include "train/test_support.h"

namespace agro {
namespace {

using testing::HasSubstr;

class LoraRun : public RunTest {
 protected:
  TrainConfig adapted(const std::string& run) const {
    TrainConfig config = addition(run);
    config.lora.rank = 4;
    config.optimizer.learning_rate = 1e-2;
    return config;
  }

  /// Log-probs of one sum's answer.
  static Tensor logprobs(const CausalLm& model) {
    const torch::NoGradGuard no_grad;
    const TokenIds prompt{5, 6, 7, 8}, completion{4, 9, 11};
    const std::vector<PromptCompletion> items{{prompt, completion}};
    return completion_logprobs(model, items);
  }

  /// A run that computes its activations again is the other one to the bit.
  void expect_recomputed_alike(TrainConfig kept, TrainConfig recomputed) const {
    recomputed.train.recompute = true;
    run_rl(kept, false);
    run_rl(recomputed, false);
    for (const char* file : {"metrics.jsonl", "final/model.safetensors"})
      EXPECT_EQ(read_file(Path(kept.run.output) / file), read_file(Path(recomputed.run.output) / file)) << file;
  }

  std::set<std::string> tensors_of(const Path& file) const {
    const SafetensorsFile tensors(folder_ / file);
    return {tensors.names().begin(), tensors.names().end()};
  }
};

TEST_F(LoraRun, SamplerAndTrainerGiveTheSameBits) {
  for (const char* products : {"float32", "bfloat16"}) {
    TrainConfig config = adapted(products);
    config.model.products = products;
    run_rl(config, false);
    const std::vector<Json> steps = steps_of(products);
    ASSERT_EQ(steps.size(), 6U);
    for (const Json& step : steps) EXPECT_EQ(step["sampler_mismatch"], 0.0) << products << " step " << step["step"];
  }
}

// The reference is the policy's own weights with the adapters off: the distance starts at exactly 0 and grows.
TEST_F(LoraRun, TheReferenceIsTheStartingModel) {
  run_rl(adapted("run"), false);
  const std::vector<Json> evaluations = evaluations_of("run");
  EXPECT_EQ(evaluations.front()["evaluation"]["kl"], 0.0);
  EXPECT_GT(evaluations.back()["evaluation"]["kl"].get<double>(), 1e-4);
  // A second folder of the same weights as reference measures the same.
  TrainConfig other = adapted("other");
  other.model.reference = other.model.path;
  run_rl(other, false);
  EXPECT_EQ(read_file(folder_ / "run/metrics.jsonl"), read_file(folder_ / "other/metrics.jsonl"));
}

TEST_F(LoraRun, BaseWeightsKeepTheirBytes) {
  const TrainConfig config = adapted("run");
  RunModel model(config.model, config.lora, false, 0);
  std::vector<Tensor> before;
  for (const NamedTensor& p : model.policy.parameters()) before.push_back(p.tensor.clone());
  AdamW optimizer(std::vector<ParameterGroup>{{model.policy.trainable_parameters()}}, config.optimizer);
  const Tensor first = logprobs(model.policy);
  for (int step = 0; step < 3; ++step) {
    optimizer.zero_gradients();
    const TokenIds prompt{5, 6, 7, 8}, completion{4, 9, 11};
    const std::vector<PromptCompletion> items{{prompt, completion}};
    (-completion_logprobs(model.policy, items).sum()).backward();
    optimizer.step(1e-2, optimizer.gradient_norm());
  }
  EXPECT_GT((logprobs(model.policy) - first).sum().item<double>(), 0.1) << "nothing was learned";
  for (size_t i = 0; i < before.size(); ++i) {
    const NamedTensor& p = model.policy.parameters()[i];
    EXPECT_TRUE(torch::equal(p.tensor, before[i])) << p.name;
    EXPECT_FALSE(p.tensor.requires_grad() || p.tensor.grad().defined()) << p.name;
  }
  size_t elements = 0;
  for (const NamedTensor& t : optimizer.state()) elements += static_cast<size_t>(t.tensor.numel());
  size_t adapters = 0;
  for (const NamedTensor& t : model.policy.low_rank_parameters()) adapters += static_cast<size_t>(t.tensor.numel());
  EXPECT_EQ(elements, 3 * adapters) << "weights and two moments of the adapters, nothing else";
}

TEST_F(LoraRun, TheFinalModelIsTheBaseWithTheAdapter) {
  run_rl(adapted("run"), false);
  const ModelFolder base(golden("e2e_qwen2_addition"));
  CausalLm with_adapter = base.load(WeightDtype::kFloat32);
  const Tensor before = logprobs(with_adapter);
  read_adapter(folder_ / "run/final-adapter", with_adapter);
  const CausalLm merged = ModelFolder(folder_ / "run/final").load(WeightDtype::kFloat32);
  EXPECT_GT((logprobs(merged) - before).abs().max().item<double>(), 1e-3);
  EXPECT_LE((logprobs(merged) - logprobs(with_adapter)).abs().max().item<double>(), 3e-5);
  EXPECT_EQ(tensors_of("run/final/model.safetensors").count("model.layers.0.self_attn.q_proj.weight"), 1U);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "run/best-adapter/adapter_config.json"));
  // Embeddings and norms are not adapted.
  const SafetensorsFile mine(folder_ / "run/final/model.safetensors"),
      its(golden("e2e_qwen2_addition") / "model.safetensors");
  for (const char* name : {"model.embed_tokens.weight", "model.norm.weight"})
    EXPECT_TRUE(std::ranges::equal(mine.get(name).bytes, its.get(name).bytes)) << name;
}

TEST_F(LoraRun, RecomputationChangesNoBit) { expect_recomputed_alike(adapted("kept"), adapted("recomputed")); }

TEST_F(LoraRun, RecomputationWithAllWeightsChangesNoBit) {
  expect_recomputed_alike(addition("kept"), addition("recomputed"));
}

TEST_F(LoraRun, ATrainedAdapterIsTrainedFurther) {
  run_rl(adapted("first"), false);
  TrainConfig second = adapted("second");
  second.model.adapter = folder_ / "first/final-adapter";
  run_rl(second, false);
  // The starting model has the adapter, and so has the reference.
  EXPECT_EQ(evaluations_of("second").front()["evaluation"]["kl"], 0.0);
  EXPECT_GT(evaluations_of("second").back()["evaluation"]["kl"].get<double>(), 1e-5);
  second.run.output = folder_ / "other";
  second.lora.rank = 2;
  EXPECT_THAT(error_of([&] { run_rl(second, false); }), HasSubstr("the adapter has rank 4, lora.rank is 2"));
  // Without lora.rank it is merged, and all weights are trained.
  second.lora.rank = 0;
  second.run.steps = 3;
  run_rl(second, false);
  EXPECT_EQ(evaluations_of("other").front()["evaluation"]["kl"], 0.0);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "other/final-adapter"));
}

TEST_F(LoraRun, FrozenBFloat16Weights) {
  TrainConfig config = stored_addition("run");
  config.model.path = golden("qwen3_qknorm_bf16");
  config.data.completions = {lines("ids.jsonl", rewarded_ids())};
  config.evaluate.prompts.clear();
  config.lora = {.rank = 2, .alpha = 8, .targets = {"q_proj", "down_proj"}};
  config.train.recompute = true;
  run_rl(config, false);
  EXPECT_EQ(tensors_of("run/checkpoints/step-6/training_state.safetensors").size(),
            tensors_of("run/final-adapter/adapter_model.safetensors").size() * 3);
  const ModelFolder merged(folder_ / "run/final");
  EXPECT_EQ(merged.load(WeightDtype::kSame).linears().front()->weight.scalar_type(), torch::kBFloat16);
}

TEST_F(LoraRun, SupervisedTraining) {
  SftConfig config;
  config.run = addition("run").run;
  config.model.path = golden("e2e_qwen2_addition");
  config.data.completions = {lines("answered.jsonl", answered_sums())};
  config.sft.sequences_per_step = 5;
  config.optimizer.learning_rate = 1e-2;
  config.lora.rank = 4;
  run_sft(config, false);
  const std::vector<Json> steps = steps_of("run");
  EXPECT_LT(steps.back()["loss"].get<double>(), steps.front()["loss"].get<double>());
  EXPECT_TRUE(std::filesystem::exists(folder_ / "run/final-adapter/adapter_model.safetensors"));
}

TEST_F(LoraRun, WhatCannotWorkIsRefused) {
  TrainConfig moving = adapted("moving");
  moving.reference = {.update_every = 1};
  EXPECT_THAT(error_of([&] { run_rl(moving, false); }), HasSubstr("under lora.rank it shares the policy's weights"));
  TrainConfig unknown = adapted("unknown");
  unknown.lora.targets = {"c_attn"};
  EXPECT_THAT(error_of([&] { run_rl(unknown, false); }), HasSubstr("no linear layer 'c_attn'"));
}

TEST_F(LoraRun, ResumingWithAnotherRankIsRefused) {
  TrainConfig config = adapted("run");
  config.run.steps = 1;
  run_rl(config, false);
  config.run.steps = 2;
  config.lora.rank = 8;
  EXPECT_THAT(error_of([&] { run_rl(config, true); }), HasSubstr("does not fit the model"));
  config.lora.rank = 0;
  EXPECT_THAT(error_of([&] { run_rl(config, true); }), HasSubstr("has no tensor 'exp_avg."));
}

}  // namespace
}  // namespace agro
