// The table and the examples at the end of a screen.
#include "report/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agro {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

EvaluatedPrompt answered(const std::string& prompt, const std::string& text, bool correct) {
  return {.prompt = prompt, .answer = "4", .text = text, .correct = correct, .sampled_share = {}};
}

EvaluationFile results(const std::string& name, double greedy, std::vector<EvaluatedPrompt> responses) {
  EvaluationFile file;
  file.name = name;
  file.figures = {{"greedy_accuracy", greedy}, {"greedy_error", 0.0125}, {"optimality_gap", 0.21}};
  file.responses = std::move(responses);
  return file;
}

/// Prompt 1 is learnt by both runs, prompt 2 by one of two, prompt 3 was right before.
std::vector<RunData> three_runs() {
  std::vector<RunData> runs(3);
  const char* names[] = {"before", "fresh", "stored"};
  for (size_t r = 0; r < 3; ++r) {
    runs[r].name = names[r];
    runs[r].results = {
        results("test", 0.5 + 0.1 * static_cast<double>(r),
                {answered("one?\n", "w1", r > 0), answered("two?\n", "w2", r == 1), answered("three?\n", "w3", true)})};
  }
  runs[1].metrics.append(80, {{"loss", 1.0}});
  for (const int64_t step : {1, 2}) runs[1].timings.append(step, {{"step_seconds", 30.0}, {"tokens", 1000.0}});
  runs[1].timings.append(2, {{"evaluation_seconds", 15.0}});
  return runs;
}

TEST(Summary, SharedResultsWithErrorsAndCost) {
  EXPECT_EQ(summary_table(three_runs()),
            "On the 3 prompts of 'test':\n\n"
            "run       greedy %  optimality gap  steps   time  tokens\n"
            "──────  ──────────  ──────────────  ─────  ─────  ──────\n"
            "before  50.0 ± 1.2           0.210      –      –       –\n"
            "fresh   60.0 ± 1.2           0.210     80  1m15s      2k\n"
            "stored  70.0 ± 1.2           0.210      –      –       –\n\n"
            "Tokens are those of the training; time includes its evaluations.\n");
}

TEST(Summary, WithoutSharedResultsTheRunsOwnEvaluations) {
  std::vector<RunData> runs = three_runs();
  runs[0].results.clear();
  runs[1].evaluations.append(0, {{"greedy_accuracy", 0.25}, {"greedy_error", 0.02}});
  runs[1].evaluations.append(80, {{"greedy_accuracy", 0.75}, {"greedy_error", 0.02}});
  EXPECT_THAT(summary_table(runs), AllOf(HasSubstr("25.0 ± 2.0 → 75.0 ± 2.0"), HasSubstr("1m15s")));
  EXPECT_THAT(summary_table(std::span(runs).first(1)), Not(HasSubstr("time includes"))) << "it cost nothing";
  EXPECT_EQ(before_and_after(runs, 3), "");
}

TEST(Summary, ExamplesAreWrongBeforeAndMostlyRightAfter) {
  const std::string text = before_and_after(three_runs(), 3);
  EXPECT_THAT(text, HasSubstr("1. one?  (answer: 4)\n   before  wrong  w1\n   fresh   right  w1\n"));
  EXPECT_THAT(text, Not(HasSubstr("two?")));
  EXPECT_THAT(text, Not(HasSubstr("three?")));
  EXPECT_EQ(before_and_after(three_runs(), 0), "");
}

TEST(Summary, ExamplesNeedTheSamePromptInEveryRun) {
  std::vector<RunData> runs = three_runs();
  runs[2].results[0].responses[0].prompt = "another?\n";
  EXPECT_EQ(before_and_after(runs, 3), "");
}

}  // namespace
}  // namespace agro
