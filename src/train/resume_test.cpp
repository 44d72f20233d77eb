// A run that was interrupted and resumed is the run that was not: the same bytes in every file that does not hold
// times.
#include <gtest/gtest.h>

#include <set>

#include "core/stop.h"
#include "train/checkpoint.h"
#include "train/rl_trainer.h"
#include "train/run_loop.h"
#include "train/test_support.h"

namespace agro {
namespace {

using testing::HasSubstr;

class Resume : public RunTest {
 protected:
  /// The files of a run, all but those of times and of paths.
  static std::set<std::string> results(const Path& run) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(run)) {
      const std::string name = entry.path().lexically_relative(run);
      const bool timed = name == "timings.jsonl" || name == "config.toml" || name.starts_with("events.");
      if (entry.is_regular_file() && !timed) names.insert(name);
    }
    return names;
  }

  void expect_same(const std::string& expected, const std::string& found) const {
    const std::set<std::string> names = results(folder_ / expected);
    for (const char* needed : {"metrics.jsonl", "final/model.safetensors", "checkpoints/step-6/model.safetensors",
                               "checkpoints/step-6/training_state.safetensors"})
      EXPECT_TRUE(names.contains(needed)) << needed;
    EXPECT_EQ(results(folder_ / found), names);
    for (const std::string& name : names)
      EXPECT_TRUE(read_file(folder_ / expected / name) == read_file(folder_ / found / name)) << name << " differs";
  }
};

class ResumeRl : public Resume, public testing::WithParamInterface<std::string> {
 protected:
  TrainConfig config(const std::string& run) const {
    TrainConfig config = GetParam() == "fresh" ? addition(run) : stored_addition(run);
    config.run.checkpoint_every = 1;
    config.run.save_completions_every = 1;
    if (GetParam() == "mixed") {
      config.group.fresh_per_group = 2;
      config.group.stored_per_group = 2;
    }
    if (GetParam() == "value_head") {
      config.objective.name = "ppo";
      config.data.stored_behavior = "reference";
    }
    if (GetParam() == "optimal_values") config.objective.name = "astar_po";
    if (GetParam() == "adapters" || GetParam() == "adapters_bfloat16") {
      config.lora.rank = 3;
      config.train.recompute = true;
      config.objective.name = "ppo";  // with a value head beside the adapters
      config.data.stored_behavior = "reference";
    }
    if (GetParam() == "moving_reference") config.reference = {.update_every = 2, .ema = 0.5};
    if (GetParam().ends_with("bfloat16")) {
      config.model.path = golden("qwen3_qknorm_bf16");
      config.data.completions = {lines("ids.jsonl", rewarded_ids())};
      config.evaluate.prompts.clear();
    }
    return config;
  }
};

TEST_P(ResumeRl, TwoHalvesAreOneWhole) {
  run_rl(config("whole"), false);
  TrainConfig halves = config("halves");
  halves.run.steps = 3;
  run_rl(halves, false);
  halves.run.steps = 6;
  run_rl(halves, true);
  expect_same("whole", "halves");
}

// What a crash leaves: an older checkpoint, and figures, responses and a best model from beyond it.
TEST_P(ResumeRl, AfterACrashBetweenCheckpoints) {
  TrainConfig whole = config("whole");
  whole.run.keep_checkpoints = 10;
  whole.optimizer.schedule = "cosine";
  whole.optimizer.warmup_steps = 2;
  run_rl(whole, false);
  for (const int64_t last : {2, 5}) {
    const std::string run = fmt::format("crashed-{}", last);
    std::filesystem::copy(folder_ / "whole", folder_ / run, std::filesystem::copy_options::recursive);
    std::filesystem::remove_all(folder_ / run / "final");
    for (int64_t step = last + 1; step <= 6; ++step) std::filesystem::remove_all(checkpoint_path(folder_ / run, step));
    TrainConfig again = whole;
    again.run.output = folder_ / run;
    run_rl(again, true);
    expect_same("whole", run);
  }
}

INSTANTIATE_TEST_SUITE_P(Data, ResumeRl,
                         testing::Values("fresh", "stored", "mixed", "bfloat16", "value_head", "optimal_values",
                                         "moving_reference", "adapters", "adapters_bfloat16"),
                         [](const auto& test) { return test.param; });

TEST_F(Resume, BetweenRolloutsOfSeveralUpdates) {
  const auto ppo = [&](const std::string& run, int64_t steps) {
    TrainConfig config = addition(run);
    config.objective.name = "ppo";
    config.train.updates_per_rollout = 3;
    config.run.steps = steps;
    return config;
  };
  run_rl(ppo("whole", 6), false);
  run_rl(ppo("halves", 3), false);
  run_rl(ppo("halves", 6), true);
  std::filesystem::remove_all(folder_ / "halves/checkpoints/step-3");
  expect_same("whole", "halves");
  EXPECT_THAT(error_of([&] { run_rl(ppo("odd", 4), false); }),
              HasSubstr("run.steps must be a multiple of train.updates_per_rollout = 3, found 4"));
}

TEST_F(Resume, WithOtherSettingsOfRolloutAndReference) {
  TrainConfig config = addition("run");
  config.evaluate.prompts.clear();
  config.reference = {.update_every = 2};
  config.run.steps = 3;
  run_rl(config, false);
  config.run.steps = 8;
  config.train.updates_per_rollout = 2;  // step 3 lies within a rollout now
  run_rl(config, true);
  EXPECT_EQ(steps_of("run").size(), 8U);
  config.run.steps = 10;
  config.reference.update_every = 0;
  EXPECT_THAT(error_of([&] { run_rl(config, true); }), HasSubstr("the checkpoint's reference has moved"));
}

/// Three updates a rollout, and a stop request in the first of them.
class StoppedEarly : public Trainable {
 public:
  StepOutcome accumulate_gradients(int64_t step) override {
    steps = step + 1;
    request_stop();
    StepOutcome outcome;
    outcome.loss = 1;
    return outcome;
  }
  bool resumable_at(int64_t step) const override { return step % 3 == 0; }
  OrderedJson state() const override { return OrderedJson::object(); }
  void restore(const Json&) override {}
  std::optional<EvaluationResult> evaluate() override { return std::nullopt; }

  int64_t steps = 0;
};

TEST_F(Resume, AStopRequestWaitsForTheRolloutsEnd) {
  RunModel model{golden("gpt2")};
  StoppedEarly trainable;
  RunLoop({.output = folder_ / "run", .steps = 9, .evaluate_every = 0, .checkpoint_every = 0}, {}, model)
      .run(trainable, "", false);
  clear_stop_request();
  EXPECT_EQ(trainable.steps, 3);
  EXPECT_EQ(checkpoint_steps(folder_ / "run"), std::vector<int64_t>{3});
}

TEST_F(Resume, SupervisedTraining) {
  SftConfig config;
  config.run = addition("whole").run;
  config.run.keep_checkpoints = 1;
  config.model.path = golden("e2e_qwen2_addition");
  config.data.completions = {lines("answered.jsonl", answered_sums())};
  config.sft.sequences_per_step = 5;
  config.sft.micro_batch_tokens = 60;
  config.optimizer.learning_rate = 1e-3;
  run_sft(config, false);
  config.run.output = folder_ / "halves";
  config.run.steps = 3;
  run_sft(config, false);
  config.run.steps = 6;
  run_sft(config, true);
  expect_same("whole", "halves");
}

TEST_F(Resume, AStopRequestIsACheckpoint) {
  TrainConfig config = addition("stopped");
  config.run.keep_checkpoints = 1;
  run_rl(addition("whole"), false);
  request_stop();
  run_rl(config, false);
  clear_stop_request();
  EXPECT_EQ(checkpoint_steps(folder_ / "stopped"), std::vector<int64_t>{0});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "stopped/final"));
  run_rl(config, true);
  expect_same("whole", "stopped");
}

TEST_F(Resume, WithoutCheckpointTheRunStartsAnew) {
  run_rl(addition("whole"), false);
  run_rl(addition("other"), true);
  expect_same("whole", "other");
  std::filesystem::remove_all(folder_ / "other/checkpoints");
  run_rl(addition("other"), true);
  expect_same("whole", "other");
}

TEST_F(Resume, AnotherModelOrOtherDataIsRefused) {
  TrainConfig config = stored_addition("run");
  config.run.steps = 1;
  config.evaluate.prompts.clear();
  run_rl(config, false);
  config.run.steps = 2;
  TrainConfig other_data = config;
  other_data.data.limit = 5;
  EXPECT_THAT(error_of([&] { run_rl(other_data, true); }),
              HasSubstr("the checkpoint belongs to a run over 12 prompts, found 5"));
  TrainConfig other_model = config;
  other_model.model.path = golden("qwen2_tied");
  other_model.data.completions = {lines("ids.jsonl", rewarded_ids())};
  EXPECT_THAT(error_of([&] { run_rl(other_model, true); }),
              testing::AllOf(HasSubstr("step-1"), HasSubstr("does not fit the model")));
}

TEST_F(Resume, ADamagedCheckpointIsNamed) {
  TrainConfig config = stored_addition("run");
  config.run.steps = 1;
  config.evaluate.prompts.clear();
  run_rl(config, false);
  config.run.steps = 2;
  const Path state = folder_ / "run/checkpoints/step-1/training_state.json";
  const std::string good = read_file(state);
  write_atomically(state, good.substr(0, good.size() / 2));
  EXPECT_THAT(error_of([&] { run_rl(config, true); }), HasSubstr("step-1/training_state.json: is not valid JSON"));
  write_atomically(state, "{}");
  EXPECT_THAT(error_of([&] { run_rl(config, true); }),
              HasSubstr("step-1: the checkpoint's training_state.json is damaged"));
  write_atomically(state, good);
  const Path tensors = folder_ / "run/checkpoints/step-1/training_state.safetensors";
  const std::string bytes = read_file(tensors);
  write_atomically(tensors, bytes.substr(0, bytes.size() - 100));
  EXPECT_THAT(error_of([&] { run_rl(config, true); }), HasSubstr("step-1/training_state.safetensors"));
}

}  // namespace
}  // namespace agro
