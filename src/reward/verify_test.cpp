#include "reward/verify.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "core/json.h"

namespace agro {
namespace {

using testing::HasSubstr;

TEST(Exact, ComparesTexts) {
  EXPECT_EQ(verify("exact", "46", " 46\n").equal, true);
  EXPECT_EQ(verify("exact", "46", "46 ", {.trim = false}).equal, false);
  EXPECT_EQ(verify("exact", "46", "460").equal, false);
  EXPECT_EQ(verify("exact", "4 6", "46").equal, false);
  EXPECT_EQ(verify("exact", "Yes", "yes").equal, false);
  EXPECT_EQ(verify("exact", "Yes", "yES", {.ignore_case = true}).equal, true);
  EXPECT_EQ(verify("exact", "@[", "`{", {.ignore_case = true}).equal, false) << "only letters have case";
  EXPECT_EQ(verify("exact", "", " \t ").equal, true);
  EXPECT_EQ(verify("exact", "a", "").equal, false);
  EXPECT_THAT(verify("exact", "46", "4\n7").why, HasSubstr("expected \"46\", found \"4 7\""));
}

TEST(LastNumberPolicy, ComparesTheLastNumbers) {
  EXPECT_EQ(verify("last_number", "18", "She makes 9 * 2 = $18 a day.").equal, true);
  EXPECT_EQ(verify("last_number", "a solution #### 1,800", "1800.00").equal, true);
  EXPECT_EQ(verify("last_number", "18", "18 at 9").equal, false);
  EXPECT_EQ(verify("last_number", "3.14", "3.14159").equal, false);
  EXPECT_EQ(verify("last_number", "3.14", "3.14159", {.tolerance = 0.01}).equal, true);
  EXPECT_EQ(verify("last_number", "18", "eighteen").equal, false);
  EXPECT_THAT(verify("last_number", "18", "eighteen").why, HasSubstr("holds no number"));
  EXPECT_EQ(verify("last_number", "eighteen", "18").equal, std::nullopt);
}

TEST(Gsm8kPolicy, ReadsTheMarkedAnswer) {
  const std::string_view gold = "Half of 144 is <<144/2=72>>72.\n#### 72";
  EXPECT_EQ(verify("gsm8k", gold, "so it is\n#### 72").equal, true);
  EXPECT_EQ(verify("gsm8k", "72", "####72").equal, true);
  EXPECT_EQ(verify("gsm8k", gold, "#### $72.00 in all").equal, true);
  EXPECT_EQ(verify("gsm8k", "-1,072", "#### -$1072").equal, true);
  EXPECT_EQ(verify("gsm8k", "12", "#### 1,2").equal, true) << "all commas are dropped";
  EXPECT_EQ(verify("gsm8k", gold, "#### 71\nno:\n#### 72").equal, true) << "the last mark holds";
  EXPECT_EQ(verify("gsm8k", gold, "#### 72\n#### 71").equal, false);
  EXPECT_EQ(verify("gsm8k", gold, "the answer is 72").equal, false) << "no mark, no answer";
  EXPECT_THAT(verify("gsm8k", gold, "the answer is 72").why, HasSubstr("no \"#### NUMBER\""));
  EXPECT_EQ(verify("gsm8k", gold, "#### the answer is 72").equal, false);
  EXPECT_EQ(verify("gsm8k", gold, "####\n72").equal, false) << "it must be on the line of the mark";
  EXPECT_EQ(verify("gsm8k", gold, "#### 72.5", {.tolerance = 0.5}).equal, true);
  EXPECT_EQ(verify("gsm8k", gold, " $72.0 ").equal, true) << "nothing but a number";
  EXPECT_EQ(verify("gsm8k", gold, "71").equal, false);
  EXPECT_EQ(verify("gsm8k", gold, "72 clips").equal, false);
  EXPECT_EQ(verify("gsm8k", "#### none", "#### 72").equal, std::nullopt);
  EXPECT_EQ(verify("gsm8k", "", "#### 72").equal, std::nullopt);
}

TEST(Gsm8kPolicy, AFractionHasItsValue) {
  for (const char* gold : {"#### 3/4", "3/4", "Three of four.\n#### 3/4 of them", "#### 3 / 4", "#### 3\u20444"}) {
    EXPECT_EQ(verify("gsm8k", gold, "#### 3").equal, false) << gold;
    EXPECT_EQ(verify("gsm8k", gold, "#### 3/4").equal, true) << gold;
    EXPECT_EQ(verify("gsm8k", gold, "#### 6/8 of them").equal, true) << gold;
    EXPECT_EQ(verify("gsm8k", gold, "#### 0.75").equal, true) << gold;
    EXPECT_EQ(verify("gsm8k", gold, " 3/4\n").equal, true) << gold << ": nothing but a fraction";
    EXPECT_EQ(verify("gsm8k", gold, "#### 0.7500000000000000001").equal, false) << gold;
    EXPECT_EQ(verify("gsm8k", gold, "#### 4/3").equal, false) << gold;
  }
  EXPECT_EQ(verify("gsm8k", "#### 3/4", "#### 3").why, "expected 3/4, the answer is 3");
  EXPECT_EQ(verify("gsm8k", "-1,500/2000", "#### -0.75").equal, true);
  EXPECT_EQ(verify("gsm8k", "#### $1 1/2", "#### 1").equal, false) << "a mixed number";
  EXPECT_EQ(verify("gsm8k", "#### $1 1/2", "#### 3/2").equal, true);
  EXPECT_EQ(verify("gsm8k", "#### -1 1/2", "#### -1.50").equal, true);
  EXPECT_EQ(verify("gsm8k", "1/3", "#### 0.333").equal, false);
  EXPECT_EQ(verify("gsm8k", "1/3", "#### 0.333", {.tolerance = 0.001}).equal, true);
  EXPECT_EQ(verify("gsm8k", "1/3", "#### 0.3333333333333333").equal, false) << "the nearest float64 is not the value";
  for (const char* unreadable : {"#### 3/0", "#### 1/2/2020"}) {
    EXPECT_EQ(verify("gsm8k", unreadable, "#### 3").equal, std::nullopt) << unreadable;
    EXPECT_EQ(verify("gsm8k", "3", unreadable).equal, false) << unreadable;
  }
  EXPECT_EQ(verify("gsm8k", "1/" + std::string(100'000, '7'), "#### 1").equal, std::nullopt) << "work is bounded";
  EXPECT_EQ(verify("gsm8k", "1/4", "#### 0." + std::string(100'000, '2')).equal, false);
}

// As GSM8K's graders decide, which compare what follows the mark as text.
TEST(Gsm8kPolicy, AFractionIsNoPlainNumber) {
  EXPECT_EQ(verify("gsm8k", "#### 3", "#### 3/4").equal, false) << "the value is not 3";
  EXPECT_EQ(verify("gsm8k", "#### 1", "#### 1 1/2").equal, false);
  EXPECT_EQ(verify("gsm8k", "#### 5", "#### 10/2").equal, false) << "not the text of the answer";
  EXPECT_EQ(verify("gsm8k", "#### 72", "#### 72/hour").equal, true) << "a unit, not a fraction";
  EXPECT_EQ(verify("gsm8k", "#### 72", "#### 72 24 times").equal, true);
  EXPECT_EQ(verify("gsm8k", "#### 72", "#### 72 -1/2").equal, true);
}

TEST(Verify, NamesTheKnownPoliciesAndTheNearest) {
  try {
    verify("gsm8", "1", "1");
    FAIL() << "an unknown policy was accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("unknown policy 'gsm8', known are exact, last_number, gsm8k"));
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'gsm8k'?"));
  }
}

TEST(Verify, TakesAnyBytes) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (const std::string& policy : verifier_names()) {
    EXPECT_NO_THROW(verify(policy, bytes, bytes)) << policy;
    EXPECT_NO_THROW(verify(policy, "1", bytes)) << policy;
    EXPECT_NO_THROW(verify(policy, "", "\xE2\x88")) << policy;
  }
}

/// GSM8K's own answers, and models' answers and solutions to it labelled right or wrong by others.
class SharedData : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kFolder)) GTEST_SKIP() << "SKIPPED: verifier labels need the shared folder";
  }
  const Path kFolder = Path(AGRO_SHARED_DIR) / "data";
};

TEST_F(SharedData, LabelledPredictionsOfNumbers) {
  int64_t rows = 0, right = 0;
  for_each_jsonl(kFolder / "graders/gsm8k_pred_vs_gt_half.jsonl", [&](const Json& row, int64_t line) {
    const auto gold = row.at("gold").get<std::string>(), pred = row.at("pred").get<std::string>();
    const bool expected = row.at("expected").get<int>() == 1;
    EXPECT_EQ(verify("last_number", gold, pred).equal, expected) << "line " << line;
    EXPECT_EQ(verify("gsm8k", "Solution.\n#### " + gold, "Thus\n#### " + pred).equal, expected) << "line " << line;
    ++rows;
    right += expected;
  });
  EXPECT_EQ(rows, 1369);
  EXPECT_EQ(right, 130);
}

// The solutions end in "A: NUMBER" (7 of 2640 never get there and are labelled wrong). Both policies give every label:
// no solution has a stray number after its answer, nor a wrong one that happens to be last.
TEST_F(SharedData, LabelledSolutions) {
  int64_t rows = 0, right = 0;
  for_each_jsonl(kFolder / "gsm8k/stored_completions_660x4.jsonl", [&](const Json& group, int64_t line) {
    const auto gold = group.at("answer").get<std::string>();
    for (const Json& completion : group.at("completions")) {
      const auto text = completion.at("text").get<std::string>();
      const bool correct = completion.at("correct").get<bool>();
      EXPECT_EQ(verify("last_number", gold, text).equal, correct) << "line " << line;
      EXPECT_EQ(verify("gsm8k", gold, text).equal, false) << "line " << line << " has no ####";
      std::string marked = text;
      if (const size_t mark = text.rfind("A: "); mark != std::string::npos) marked.replace(mark, 3, "#### ");
      EXPECT_EQ(verify("gsm8k", gold, marked).equal, correct) << "line " << line;
      ++rows;
      right += correct;
    }
  });
  EXPECT_EQ(rows, 2640);
  EXPECT_EQ(right, 1008);
}

TEST_F(SharedData, EveryGoldAnswerOfGsm8kIsRead) {
  int64_t rows = 0;
  for_each_jsonl(kFolder / "gsm8k/train.jsonl", [&](const Json& row, int64_t line) {
    const auto answer = row.at("answer").get<std::string>();
    EXPECT_EQ(verify("gsm8k", answer, answer).equal, true) << "line " << line;
    EXPECT_EQ(verify("last_number", answer, answer).equal, true) << "line " << line;
    ++rows;
  });
  EXPECT_EQ(rows, 7473);
}

}  // namespace
}  // namespace agro
