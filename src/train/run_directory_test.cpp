// What a run leaves in its directory, and that others can read it.
#include <gtest/gtest.h>

#include "core/json.h"
#include "data/completions.h"
#include "model/model_folder.h"
#include "train/checkpoint.h"
#include "train/rl_trainer.h"
#include "train/test_support.h"

namespace agro {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class RunDirectory : public RunTest {
 protected:
  Path event_file(const std::string& run) const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / run))
      if (entry.path().filename().string().starts_with("events.out.tfevents.")) return entry.path();
    return {};
  }
};

TEST_F(RunDirectory, ConfigReadsBackToAnEqualRun) {
  TrainConfig config = stored_addition("first");
  config.optimizer.learning_rate = 1.0 / 3000;
  config.rewards.reward[0].name = "right";
  run_rl(config, false);
  TrainConfig again;
  load_config(again, folder_ / "first/config.toml", {"run.output=" + (folder_ / "second").string()});
  run_rl(again, false);
  for (const char* file : {"metrics.jsonl", "final/model.safetensors"})
    EXPECT_TRUE(read_file(folder_ / "first" / file) == read_file(folder_ / "second" / file)) << file;
}

TEST_F(RunDirectory, EveryStepAndEvaluationHasItsLine) {
  TrainConfig config = addition("run");
  run_rl(config, false);
  const std::vector<Json> steps = steps_of("run"), evaluations = evaluations_of("run");
  ASSERT_EQ(steps.size(), 6U);
  for (size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(steps[i]["step"], i + 1);
  std::vector<int> evaluated;
  for (const Json& evaluation : evaluations) evaluated.push_back(evaluation["step"].get<int>());
  EXPECT_EQ(evaluated, (std::vector<int>{0, 3, 6}));
  for (const char* figure : {"loss", "gradient_norm", "learning_rate", "reward_mean", "accuracy", "optimality_gap",
                             "log_ratio_mean", "response_tokens", "truncated", "reward_exact", "skipped_groups"})
    EXPECT_TRUE(steps[2].contains(figure)) << figure;
  for (const char* figure : {"greedy_accuracy", "sampled_accuracy", "reward_mean", "kl", "optimality_gap", "value_gap"})
    EXPECT_TRUE(evaluations[1]["evaluation"].contains(figure)) << figure;
  EXPECT_EQ(steps[0]["sampler_mismatch"], 0.0);
  EXPECT_EQ(evaluations[0]["evaluation"]["kl"], 0.0) << "the policy begins as the reference";
}

// The last bytes: TensorBoard reads what its writer's own tests decode; here it must hold this run's tags.
TEST_F(RunDirectory, EventsCarryTheFigures) {
  run_rl(addition("run"), false);
  const std::string events = read_file(event_file("run"));
  for (const char* tag :
       {"train/loss", "train/reward_mean", "train/gradient_norm", "evaluate/greedy_accuracy", "evaluate/kl"})
    EXPECT_THAT(events, HasSubstr(tag));
}

TEST_F(RunDirectory, SavedResponsesAreStoredResponses) {
  TrainConfig config = addition("run");
  config.run.save_completions_every = 2;
  run_rl(config, false);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/completions/step-1.jsonl"));
  const Path file = folder_ / "run/completions/step-2.jsonl";
  const std::vector<StoredGroup> groups = read_completions(file);
  ASSERT_EQ(groups.size(), 4U);
  double reward = 0;
  for (const StoredGroup& group : groups) {
    ASSERT_EQ(group.completions.size(), 4U);
    for (const StoredCompletion& completion : group.completions) {
      reward += *completion.reward / 16;
      EXPECT_EQ(*completion.reward, completion.text == *group.prompt.answer ? 1 : 0);
      EXPECT_EQ(completion.source, "fresh");
      EXPECT_LE(*completion.logprob, 0);
    }
  }
  EXPECT_NEAR(reward, steps_of("run")[1]["reward_mean"].get<double>(), 1e-12);
  EXPECT_EQ(read_lines(file)[0]["completions"][0]["policy_version"], 1);

  TrainConfig stored = stored_addition("from-stored");
  stored.data.completions = {file};
  stored.group.stored_per_group = 4;
  run_rl(stored, false);
  EXPECT_EQ(steps_of("from-stored")[0]["responses"], 16.0);
}

TEST_F(RunDirectory, BestIsTheBestByTheNamedMetric) {
  for (const std::string metric : {"sampled_accuracy", "reward_mean"}) {
    TrainConfig config = addition(metric);
    config.run.best_metric = metric;
    config.run.evaluate_every = 1;
    config.optimizer.learning_rate = 3e-3;  // goes up and down
    run_rl(config, false);
    int64_t best_step = 0;
    double best = -1;
    for (const Json& evaluation : evaluations_of(metric))
      if (evaluation["evaluation"][metric].get<double>() > best)
        best = evaluation["evaluation"][metric].get<double>(), best_step = evaluation["step"].get<int64_t>();
    const Json noted = read_json(folder_ / metric / "best/best.json");
    EXPECT_EQ(noted["step"], best_step);
    EXPECT_EQ(noted["value"], best);
    EXPECT_EQ(noted["metric"], metric);

    TrainConfig until = config;
    until.run.output = folder_ / (metric + "-until");
    until.run.steps = std::max<int64_t>(1, best_step);
    run_rl(until, false);
    const Path expected = best_step == 0 ? golden("e2e_qwen2_addition") : folder_ / (metric + "-until") / "final";
    EXPECT_TRUE(read_file(folder_ / metric / "best/model.safetensors") == read_file(expected / "model.safetensors"));
  }
}

TEST_F(RunDirectory, ABestMetricThatIsNotMeasuredIsSaid) {
  TrainConfig config = addition("run");
  config.evaluate.greedy = false;
  testing::internal::CaptureStderr();
  run_rl(config, false);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("does not measure run.best_metric = 'greedy_accuracy'"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/best"));
}

TEST_F(RunDirectory, KeepsTheNewestCheckpoints) {
  TrainConfig config = addition("run");
  config.run.checkpoint_every = 2;
  config.run.keep_checkpoints = 3;
  run_rl(config, false);
  EXPECT_EQ(checkpoint_steps(folder_ / "run"), (std::vector<int64_t>{2, 4, 6}));
  config.run.output = folder_ / "one";
  config.run.keep_checkpoints = 1;
  run_rl(config, false);
  EXPECT_EQ(checkpoint_steps(folder_ / "one"), (std::vector<int64_t>{6}));
}

TEST_F(RunDirectory, CheckpointsAndResultsAreModelFolders) {
  run_rl(addition("run"), false);
  for (const char* name : {"checkpoints/step-6", "final", "best"}) {
    const ModelFolder folder(folder_ / "run" / name);
    EXPECT_EQ(folder.load(WeightDtype::kSame).parameters().size(), 26U) << name;
    for (const char* file : {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"})
      EXPECT_TRUE(read_file(folder_ / "run" / name / file) == read_file(golden("e2e_qwen2_addition") / file)) << file;
  }
  EXPECT_TRUE(read_file(folder_ / "run/final/model.safetensors") ==
              read_file(folder_ / "run/checkpoints/step-6/model.safetensors"));
}

TEST_F(RunDirectory, ARunThatIsThereIsNotOverwritten) {
  run_rl(addition("run"), false);
  const std::string before = read_file(folder_ / "run/metrics.jsonl");
  EXPECT_THAT(error_of([&] { run_rl(addition("run"), false); }),
              AllOf(HasSubstr((folder_ / "run").string() + ": the run directory already holds a run"),
                    HasSubstr("--resume"), HasSubstr("run.output")));
  EXPECT_EQ(read_file(folder_ / "run/metrics.jsonl"), before);
}

TEST_F(RunDirectory, NeedsAName) {
  TrainConfig config = addition("run");
  config.run.output.clear();
  EXPECT_THAT(error_of([&] { run_rl(config, false); }), HasSubstr("run.output is not set"));
}

TEST_F(RunDirectory, SeedsDiffer) {
  run_rl(addition("three"), false);
  TrainConfig other = addition("four");
  other.run.seed = 4;
  run_rl(other, false);
  EXPECT_NE(steps_of("three")[0]["loss"], steps_of("four")[0]["loss"]);
}

}  // namespace
}  // namespace agro
