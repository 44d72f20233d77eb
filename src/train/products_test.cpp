// model.products = "bfloat16": a run whose matrix products take rounded inputs.
#include "core/parallel.h"
#include "train/rl_trainer.h"
#include "train/test_support.h"

namespace agro {
namespace {

class BFloat16Products : public RunTest {
 protected:
  TrainConfig rounded_addition(const std::string& run) const {
    TrainConfig config = addition(run);
    config.model.products = "bfloat16";
    return config;
  }
};

TEST_F(BFloat16Products, SamplerAndTrainerAgree) {
  run_rl(rounded_addition("run"), false);
  const std::vector<Json> steps = steps_of("run");
  ASSERT_EQ(steps.size(), 6U);
  for (const Json& step : steps) EXPECT_LE(step["sampler_mismatch"].get<double>(), 5e-3) << step["step"];
}

TEST_F(BFloat16Products, TheReferenceRoundsAsThePolicyDoes) {
  run_rl(rounded_addition("run"), false);
  EXPECT_EQ(evaluations_of("run")[0]["evaluation"]["kl"], 0.0) << "the policy begins as the reference";
}

TEST_F(BFloat16Products, RoundingMovesTheGradientByLittle) {
  TrainConfig exact = addition("exact"), rounded = rounded_addition("rounded");
  exact.run.steps = rounded.run.steps = 1;
  // The same responses in both.
  for (TrainConfig* config : {&exact, &rounded}) {
    config->data.completions = {lines("answered.jsonl", answered_sums())};
    config->data.prompts.clear();
    config->group.fresh_per_group = 0;
    config->group.stored_per_group = 3;
    run_rl(*config, false);
  }
  const auto norm = [&](const std::string& run) { return steps_of(run)[0]["gradient_norm"].get<double>(); };
  EXPECT_NE(norm("rounded"), norm("exact")) << "nothing was rounded";
  EXPECT_NEAR(norm("rounded"), norm("exact"), 0.02 * norm("exact"));
}

TEST_F(BFloat16Products, TheNumberOfThreadsDoesNotMatter) {
  const int before = thread_count();
  set_up_threads(1);
  run_rl(rounded_addition("one"), false);
  set_up_threads(2);
  run_rl(rounded_addition("two"), false);
  set_up_threads(before);
  const std::vector<Json> one = steps_of("one"), two = steps_of("two");
  ASSERT_EQ(one.size(), two.size());
  for (size_t i = 0; i < one.size(); ++i)
    for (const char* figure : {"loss", "gradient_norm", "reward_mean", "log_ratio_mean"})
      EXPECT_EQ(one[i][figure], two[i][figure]) << figure << " of step " << i + 1;
}

}  // namespace
}  // namespace agro
