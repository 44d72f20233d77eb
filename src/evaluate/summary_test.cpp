// The figures of an evaluation, computed by hand.
#include "evaluate/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "evaluate/answers.h"
#include "evaluate/comparison.h"

namespace agro {
namespace {

MeasuredResponse response(const std::string& text, bool correct, int64_t tokens = 3, bool truncated = false) {
  return {.text = text, .tokens = tokens, .truncated = truncated, .reward = correct ? 1.0 : 0.0, .correct = correct};
}

/// Three prompts, four samples each.
std::vector<MeasuredPrompt> measured() {
  std::vector<MeasuredPrompt> prompts(3);
  prompts[0] = {response("\\boxed{4}", true),
                {response("\\boxed{4}", true, 2), response("so \\boxed{5}", false, 4), response("#### 4", true, 6),
                 response("5", false, 8)}};
  prompts[1] = {response("7", false),
                {response("7", false, 1), response("7.0", false, 1), response("8", true, 1),
                 response("I do not know", false, 1, true)}};
  prompts[2] = {
      response("9", true),
      {response("The answer is 9.", true, 5), response("9", true, 5), response("9", true, 5), response("9", true, 5)}};
  return prompts;
}

const Estimate& find(const std::vector<Estimate>& estimates, const std::string& name) {
  const auto at = std::find_if(estimates.begin(), estimates.end(), [&](const Estimate& e) { return e.name == name; });
  if (at == estimates.end()) throw fail("no estimate {}", name);
  return *at;
}

TEST(Summary, FiguresByHand) {
  const EvaluationSummary summary = summarise(measured(), {}, 0);
  EXPECT_EQ(summary.prompts, 3);
  EXPECT_EQ(summary.samples, 4);
  std::vector<std::string> names;
  for (const Estimate& e : summary.estimates) names.push_back(e.name);
  EXPECT_THAT(names, testing::ElementsAre("greedy_accuracy", "avg_at_4", "pass_at_2", "pass_at_4", "maj_at_4",
                                          "response_tokens", "truncated", "answer_found", "answer_marked", "boxed"));
  const auto value = [&](const std::string& name) { return find(summary.estimates, name).value; };
  EXPECT_NEAR(value("greedy_accuracy"), 2.0 / 3, 1e-12);
  EXPECT_NEAR(value("avg_at_4"), (2 + 1 + 4) / 12.0, 1e-12);
  // Pairs without a right response: 1 of 6, 3 of 6, none.
  EXPECT_NEAR(value("pass_at_2"), (5.0 / 6 + 3.0 / 6 + 1) / 3, 1e-12);
  EXPECT_NEAR(value("pass_at_4"), 1, 1e-12);
  // 2 : 2 is a tie; 7 and 7.0 outvote 8; all agree.
  EXPECT_NEAR(value("maj_at_4"), (0.5 + 0 + 1) / 3, 1e-12);
  EXPECT_NEAR(value("response_tokens"), (20 + 4 + 20) / 12.0, 1e-12);
  EXPECT_NEAR(value("truncated"), 1 / 12.0, 1e-12);
  EXPECT_NEAR(value("answer_found"), 11 / 12.0, 1e-12);
  EXPECT_NEAR(value("answer_marked"), 4 / 12.0, 1e-12);
  EXPECT_NEAR(value("boxed"), 2 / 12.0, 1e-12);
  const Interval wilson = wilson_interval(2, 3);
  EXPECT_EQ(find(summary.estimates, "greedy_accuracy").interval.low, wilson.low);
  EXPECT_TRUE(find(summary.estimates, "greedy_accuracy").wilson);
  const std::vector<std::vector<double>> averages = {{0.5, 0.25, 1}};
  EXPECT_NEAR(find(summary.estimates, "avg_at_4").interval.low, bootstrap_intervals(averages, 0)[0].low, 1e-12);
  EXPECT_EQ(summary.lengths.most, 8);
  EXPECT_EQ(summary.lengths.median, 4.5);
  EXPECT_NEAR(*summary.lengths.mean_right, (2 + 6 + 1 + 20) / 7.0, 1e-12);
  EXPECT_NEAR(*summary.lengths.mean_wrong, (4 + 8 + 3) / 5.0, 1e-12);
}

TEST(Summary, PartsAreTheirPromptsAlone) {
  const std::vector<PromptLabels> labels = {{"level", {"Level 10", "Level 9", "Level 10"}}, {"type", {"", "sum", ""}}};
  const EvaluationSummary summary = summarise(measured(), labels, 0);
  ASSERT_EQ(summary.parts.size(), 3U);
  EXPECT_EQ(summary.parts[0].value, "Level 9");
  EXPECT_EQ(summary.parts[1].value, "Level 10");
  EXPECT_EQ(summary.parts[1].prompts, 2);
  EXPECT_EQ(find(summary.parts[1].estimates, "greedy_accuracy").value, 1);
  EXPECT_NEAR(find(summary.parts[1].estimates, "avg_at_4").value, 0.75, 1e-12);
  EXPECT_EQ(summary.parts[2].field, "type");
  EXPECT_EQ(find(summary.parts[2].estimates, "avg_at_4").value, 0.25);
  const OrderedJson json = summary.to_json();
  EXPECT_EQ(json["by"][1]["value"], "Level 10");
  EXPECT_EQ(json["estimates"]["greedy_accuracy"]["interval"], "wilson");
  EXPECT_EQ(json["form_of"], "samples");
}

TEST(Summary, GreedyAloneAndNothing) {
  std::vector<MeasuredPrompt> prompts = measured();
  for (MeasuredPrompt& prompt : prompts) prompt.samples.clear();
  const EvaluationSummary summary = summarise(prompts, {}, 0);
  EXPECT_FALSE(summary.form_of_samples);
  EXPECT_EQ(summary.estimates.size(), 6U);
  EXPECT_NEAR(find(summary.estimates, "boxed").value, 1.0 / 3, 1e-12);
  EXPECT_THROW(summarise({}, {}, 0), Error);
  prompts[0].greedy.reset();
  EXPECT_THROW(summarise(std::span(prompts).first(1), {}, 0), Error);
}

TEST(Answers, WhatIsFoundAndHowItIsMarked) {
  EXPECT_EQ(answer_facts("We get \\boxed{\\frac{1}{2}}.").answer, "\\frac{1}{2}");
  EXPECT_TRUE(answer_facts("We get \\boxed{3}.").boxed);
  EXPECT_EQ(answer_facts("2 + 2 = 4\n#### 4").answer, "4");
  EXPECT_TRUE(answer_facts("2 + 2 = 4\n#### 4").marked);
  EXPECT_FALSE(answer_facts("2 + 2 = 4\n#### 4").boxed);
  EXPECT_EQ(answer_facts("She has 12 eggs and then 15").answer, "15");
  EXPECT_FALSE(answer_facts("She has 12 eggs and then 15").marked);
  EXPECT_EQ(answer_facts("I do not know the answer to this").answer, "");
  EXPECT_EQ(answer_facts("").answer, "");
  EXPECT_FALSE(answer_facts("\\boxed{}").boxed);
}

TEST(Comparison, PairsPromptsAndCountsWhoIsRight) {
  const std::vector<PromptOutcome> a = {
      {"p", true, 1}, {"q", true, 0.5}, {"r", false, 0}, {"s", true, 1}, {"t", true, 1}};
  const std::vector<PromptOutcome> b = {
      {"s", true, 0.5}, {"r", true, 0.5}, {"q", false, 0}, {"p", false, 0}, {"u", true, 1}};
  const PairedComparison found = compare_paired(a, b, 0);
  EXPECT_EQ(found.prompts, 4);
  EXPECT_EQ(found.only_a, 1);
  EXPECT_EQ(found.only_b, 1);
  ASSERT_TRUE(found.greedy && found.sampled);
  EXPECT_EQ(found.greedy->counts.both, 1);
  EXPECT_EQ(found.greedy->counts.only_a, 2);
  EXPECT_EQ(found.greedy->counts.only_b, 1);
  EXPECT_EQ(found.greedy->counts.neither, 0);
  EXPECT_NEAR(found.greedy->difference, 0.25, 1e-12);
  EXPECT_EQ(found.greedy->p, mcnemar_exact(2, 1));
  EXPECT_NEAR(found.sampled->difference, (1 + 0.5 - 0.5 + 0.5) / 4, 1e-12);
  EXPECT_NEAR(found.sampled->a - found.sampled->b, found.sampled->difference, 1e-12);
  const std::vector<std::vector<double>> differences = {{1, 0.5, -0.5, 0.5}};
  EXPECT_EQ(found.sampled->interval.low, bootstrap_intervals(differences, 0)[0].low);
}

TEST(Comparison, ARepeatedPromptIsPairedInOrder) {
  const std::vector<PromptOutcome> a = {{"p", true, {}}, {"p", false, {}}}, b = {{"p", true, {}}, {"p", false, {}}};
  const PairedComparison found = compare_paired(a, b, 0);
  EXPECT_EQ(found.greedy->counts.both, 1);
  EXPECT_EQ(found.greedy->counts.neither, 1);
  EXPECT_FALSE(found.sampled);
}

TEST(Comparison, NothingInCommonIsAnError) {
  const std::vector<PromptOutcome> a = {{"p", true, {}}}, b = {{"q", true, {}}}, c = {{"p", {}, 0.5}};
  EXPECT_THAT([&] { compare_paired(a, b, 0); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("no prompt in common")));
  EXPECT_THAT([&] { compare_paired(a, c, 0); }, testing::ThrowsMessage<Error>(testing::HasSubstr("different things")));
}

}  // namespace
}  // namespace agro
