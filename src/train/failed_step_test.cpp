// A loss or gradient that is not finite: the step is not applied, its responses are kept, and soon the run gives up.
#include <gtest/gtest.h>

#include <limits>

#include "data/completions.h"
#include "train/checkpoint.h"
#include "train/rl_trainer.h"
#include "train/run_loop.h"
#include "train/test_support.h"

namespace agro {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

struct Planned {
  double loss;
  double gradient;
};

/// Hands out planned losses and gradients and remembers the weights before each step.
class Scripted : public Trainable {
 public:
  Scripted(RunModel& model, std::vector<Planned> plan) : model_(model), plan_(std::move(plan)) {}

  StepOutcome accumulate_gradients(int64_t step) override {
    weights.push_back(model_.policy.parameters()[3].tensor.detach().clone());
    const Planned planned = plan_.at(static_cast<size_t>(step));
    model_.policy.parameters()[3].tensor.mutable_grad().fill_(planned.gradient);
    StepOutcome outcome;
    outcome.loss = planned.loss;
    outcome.write_prompts = [](const Path& path) { write_atomically(path, "{}\n"); };
    return outcome;
  }
  OrderedJson state() const override { return OrderedJson::object(); }
  void restore(const Json&) override {}
  std::optional<EvaluationResult> evaluate() override { return std::nullopt; }

  std::vector<Tensor> weights;

 private:
  RunModel& model_;
  std::vector<Planned> plan_;
};

class FailedStep : public RunTest {
 protected:
  RunConfig run_config(int64_t steps) const {
    return {
        .output = folder_ / "run", .steps = steps, .evaluate_every = 0, .checkpoint_every = 0, .max_failed_steps = 3};
  }

  /// A copy of a model with one weight replaced.
  std::string broken_model(const std::string& name, float value) const {
    const ModelFolder source(golden(name));
    const CausalLm model = source.load(WeightDtype::kFloat32);
    model.parameters()[3].tensor.view({-1})[0] = value;
    source.write(folder_ / "broken", model);
    return folder_ / "broken";
  }

  /// The prompts of RUN/failed/step-N.jsonl.
  std::vector<StoredGroup> failed(int64_t step) const {
    return read_completions(folder_ / "run/failed" / fmt::format("step-{}.jsonl", step));
  }
};

TEST_F(FailedStep, IsNotApplied) {
  RunModel model{golden("gpt2")};
  Scripted scripted(model, {{1, 1}, {kNan, 1}, {1, kInf}, {1, 1}, {-kInf, 0}, {1, kNan}, {1, 1}});
  RunLoop loop(run_config(7), {}, model);
  loop.run(scripted, "", false);
  scripted.weights.push_back(model.policy.parameters()[3].tensor.detach());
  const std::vector<bool> applied{true, false, false, true, false, false, true};
  for (size_t step = 0; step < 7; ++step)
    EXPECT_EQ(!torch::equal(scripted.weights[step], scripted.weights[step + 1]), applied[step]) << step;
  EXPECT_TRUE(scripted.weights.back().isfinite().all().item<bool>());
  EXPECT_EQ(loop.optimizer().steps_done(), 3);
  for (size_t step = 0; step < 7; ++step)
    EXPECT_NE(std::filesystem::exists(folder_ / fmt::format("run/failed/step-{}.jsonl", step + 1)), applied[step]);
  EXPECT_TRUE(steps_of("run")[1]["loss"].is_null());
}

TEST_F(FailedStep, TooManyInARowEndTheRun) {
  RunModel model{golden("gpt2")};
  Scripted scripted(model, {{1, 1}, {kNan, 1}, {kNan, 1}, {1, 1}, {kNan, 1}, {1, kNan}, {kNan, 1}, {1, 1}});
  const std::string message = error_of([&] { RunLoop(run_config(8), {}, model).run(scripted, "", false); });
  EXPECT_THAT(message, AllOf(HasSubstr("3 steps in a row had a non-finite loss or gradient; the last one is 7"),
                             HasSubstr("lower optimizer.learning_rate"), HasSubstr("run/failed")));
  EXPECT_EQ(scripted.weights.size(), 7U);
  EXPECT_TRUE(checkpoint_steps(folder_ / "run").empty());
}

TEST_F(FailedStep, AReferenceWithAnInfiniteWeight) {
  TrainConfig config = stored_addition("run");
  config.model.reference = broken_model("e2e_qwen2_addition", std::numeric_limits<float>::infinity());
  config.evaluate.prompts.clear();
  config.run.max_failed_steps = 2;
  EXPECT_THAT(error_of([&] { run_rl(config, false); }),
              AllOf(HasSubstr("2 steps in a row"), HasSubstr("the last one is 2")));
  for (const int64_t step : {1, 2}) {
    const std::vector<StoredGroup> groups = failed(step);
    ASSERT_EQ(groups.size(), 4U);
    for (const StoredGroup& group : groups) EXPECT_GE(group.completions.size(), 2U) << group.prompt.id;
  }
  EXPECT_NE(failed(1)[0].prompt.id, failed(2)[0].prompt.id);
}

TEST_F(FailedStep, APolicyThatSaysNothingFinite) {
  TrainConfig config = addition("run");
  config.model.path = broken_model("e2e_qwen2_addition", std::numeric_limits<float>::quiet_NaN());
  config.model.reference = golden("e2e_qwen2_addition");
  config.evaluate.prompts.clear();
  config.run.max_failed_steps = 1;
  EXPECT_THAT(error_of([&] { run_rl(config, false); }), HasSubstr("1 steps in a row"));
  EXPECT_EQ(failed(1).size(), 4U);
}

// Not a matter of numbers: trying again would not help, so it must not be taken for one.
TEST_F(FailedStep, AStoredTokenTheModelDoesNotHaveIsAnErrorOfTheData) {
  TrainConfig config = stored_addition("run");
  config.data.completions = {
      lines("ids.jsonl", {{{"id", "strange"},
                           {"ids", {5, 6}},
                           {"completions", {{{"ids", {7, 400}}, {"reward", 1}}, {{"ids", {7}}, {"reward", 0}}}}}})};
  config.evaluate.prompts.clear();
  const std::string message = error_of([&] { run_rl(config, false); });
  EXPECT_THAT(message, AllOf(HasSubstr("strange"), HasSubstr("400")));
  EXPECT_THAT(message, testing::Not(HasSubstr("in a row")));
}

}  // namespace
}  // namespace agro
