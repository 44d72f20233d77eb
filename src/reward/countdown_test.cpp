#include "reward/countdown.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace agro {
namespace {

constexpr const char* kTask = "128 from 3, 7, 25, 50, 3";

std::optional<bool> verdict(std::string_view pred, std::string_view gold = kTask) {
  return verify_countdown(gold, pred).equal;
}

TEST(Countdown, AcceptsExpressionsThatMakeTheTarget) {
  for (const char* pred :
       {"50 + 25 * 3 + 3", "25 * 3 + 50 + 3 = 128", "128 = 50 + 25*3 + 3", "So we get\n#### (25*3)+50+3",
        "First 75.\n\\boxed{25 \\times 3 + 50 + 3}", "<answer>50+3*25+3</answer> done", "$25×3 + 50 + 3$",
        "[25 \\cdot 3 + (50)] + 3.", "\\left(25 * 3\\right) + 50 + 3 ="})
    EXPECT_EQ(verdict(pred), true) << pred << ": " << verify_countdown(kTask, pred).why;
  EXPECT_EQ(verdict("8 / (3 - 8 / 3)", "24 from 3, 3, 8, 8"), true);  // through fractions
  EXPECT_EQ(verdict("7 − 3 ÷ 3", "6 from 3, 3, 7"), true);
  EXPECT_EQ(verdict("20 - 7 - 3", "10 from 20 7 3"), true);
  EXPECT_EQ(verdict("20 / 2 / 5 * 4", "8 from 20, 2, 5, 4"), true);
}

TEST(Countdown, RefusesTheRest) {
  const auto why = [](std::string_view pred) {
    const Verdict found = verify_countdown(kTask, pred);
    EXPECT_EQ(found.equal, false) << pred;
    return found.why;
  };
  using testing::HasSubstr;
  EXPECT_THAT(why("50 + 25 * 3"), HasSubstr("is 125"));
  EXPECT_THAT(why("128"), HasSubstr("not given"));
  EXPECT_THAT(why("100 + 25 + 3"), HasSubstr("not given"));
  EXPECT_THAT(why("25 * 7 - 25 - 25 + 3"), HasSubstr("too often"));
  EXPECT_THAT(why("50 50"), HasSubstr("side by side"));
  EXPECT_THAT(why("50 (3)"), HasSubstr("operation is missing"));
  EXPECT_THAT(why("-3 + 50"), HasSubstr("missing before '-'"));
  EXPECT_THAT(why("50 +"), HasSubstr("breaks off"));
  EXPECT_THAT(why("(50 + 3"), HasSubstr("not closed"));
  EXPECT_THAT(why("50 + 3)"), HasSubstr("not opened"));
  EXPECT_THAT(why("()"), HasSubstr("missing before ')'"));
  EXPECT_THAT(why("50 ^ 3"), HasSubstr("no expression"));
  EXPECT_THAT(why("50 / (3 - 3)"), HasSubstr("no result"));
  EXPECT_THAT(why("1000000000000000"), HasSubstr("too long"));
  EXPECT_THAT(why("50 + 25 * 3 = 125"), HasSubstr("no expression"));
  EXPECT_THAT(why(""), HasSubstr("no expression"));
  EXPECT_THAT(why("\n \n"), HasSubstr("no expression"));
  EXPECT_THAT(why(std::string(100'000, '(')), HasSubstr("too long"));
  EXPECT_THAT(why(std::string(1'999, '(')), HasSubstr("breaks off"));
}

TEST(Countdown, AnUnreadableTaskLeavesTheVerdictOpen) {
  for (const char* gold : {"", "128", "128 from", "from 3, 4", "128 from 3; 4", "128 from 3,", "x from 3"})
    EXPECT_EQ(verdict("3 + 4", gold), std::nullopt) << gold;
}

}  // namespace
}  // namespace agro
