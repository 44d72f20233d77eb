#include "reward/math/policies.h"

#include <gmock/gmock.h>

#include "core/json.h"
#include "reward/verify.h"

namespace agro {
namespace {

using testing::HasSubstr;

/// Calls `check(gold, pred, equal)` for our own cases, which lie beside this file; "equal": null is not decided.
template <class Check>
void for_each_case(Check&& check) {
  int64_t cases = 0;
  for_each_jsonl(Path(AGRO_SOURCE_DIR) / "src/reward/math/cases.jsonl", [&](const Json& row, int64_t) {
    check(row.at("gold").get<std::string>(), row.at("pred").get<std::string>(),
          row.at("equal").is_null() ? std::nullopt : std::optional(row.at("equal").get<bool>()));
    ++cases;
  });
  EXPECT_GT(cases, 250);
}

TEST(Lenient, DecidesAsAReaderWould) {
  for_each_case([](const std::string& gold, const std::string& pred, std::optional<bool> equal) {
    const Verdict verdict = verify_lenient(gold, pred);
    EXPECT_EQ(verdict.equal, equal) << gold << " and " << pred << ": " << verdict.why;
  });
}

// Strict may leave open or refuse what lenient forgives, but what it calls equal is equal.
TEST(Strict, NeverCallsDifferentAnswersEqual) {
  for_each_case([](const std::string& gold, const std::string& pred, std::optional<bool> equal) {
    const bool called_equal = verify_strict(gold, pred).equal == true;
    EXPECT_FALSE(called_equal && equal != true) << gold << " and " << pred;
  });
}

TEST(Strict, InsistsOnFormAndProof) {
  for (const auto& [gold, pred] : std::initializer_list<std::pair<const char*, const char*>>{{"5", "x = 5"},
                                                                                             {"5", "5 cm"},
                                                                                             {"50\\%", "50"},
                                                                                             {"1, 2", "2, 1"},
                                                                                             {"1/3", "0.333333"},
                                                                                             {"x > 3", "(3, \\infty)"},
                                                                                             {"12", "We get 4*3 = 12"},
                                                                                             {"Yes", "yes"}})
    EXPECT_EQ(verify_strict(gold, pred).equal, false) << gold << " and " << pred;
  for (const auto& [gold, pred] :
       std::initializer_list<std::pair<const char*, const char*>>{{"50\\%", "0.5"},
                                                                  {"\\{1, 2\\}", "\\{2, 1\\}"},
                                                                  {"5 cm", "\\boxed{5\\text{ centimeters}}"},
                                                                  {"x \\le 3", "3 \\ge x"},
                                                                  {"180^\\circ", "\\pi"},
                                                                  {"\\frac{1}{\\sqrt2}", "\\frac{\\sqrt2}{2}"}})
    EXPECT_EQ(verify_strict(gold, pred).equal, true) << gold << " and " << pred;
  const Verdict nested = verify_strict("\\sqrt{3+2\\sqrt2}", "1+\\sqrt2");
  EXPECT_EQ(nested.equal, std::nullopt);
  EXPECT_TRUE(nested.undecided);
  EXPECT_THAT(nested.why, HasSubstr("100 digits"));
}

TEST(Lenient, SaysWhatItRestsOn) {
  EXPECT_THAT(verify_lenient("\\sqrt{3+2\\sqrt2}", "1+\\sqrt2").why, HasSubstr("100 digits, which counts as equal"));
  EXPECT_THAT(verify_lenient("(x+1)^2", "x^2+2x+1").why, HasSubstr("same normal form"));
  EXPECT_THAT(verify_lenient("2/3", "0.6667").why, HasSubstr("rounded"));
  EXPECT_THAT(verify_lenient("x+1", "x+2").why, HasSubstr("different values"));
  EXPECT_THAT(verify_lenient("7", "I would say \\boxed{8}.").why, HasSubstr("found 8 (\\boxed)"));
}

TEST(Tolerance, IsStatedAndOffByDefault) {
  for (const char* policy : {"strict", "lenient"}) {
    EXPECT_EQ(verify(policy, "3.1", "3.14").equal, false);
    EXPECT_EQ(verify(policy, "3.1", "3.14", {.tolerance = 0.05}).equal, true);
    EXPECT_EQ(verify(policy, "1000", "1009", {.relative_tolerance = 0.01}).equal, true);
    EXPECT_EQ(verify(policy, "1000", "1011", {.relative_tolerance = 0.01}).equal, false);
    EXPECT_EQ(verify(policy, "\\pi", "22/7", {.tolerance = 0.01}).equal, true);
    EXPECT_EQ(verify(policy, "(0, 1)", "(0, 1.001)", {.tolerance = 0.01}).equal, true);
  }
}

TEST(MathVerify, FollowsItsGrader) {
  EXPECT_EQ(verify_math_verify("1/3", "0.333333").equal, true) << "six decimals";
  EXPECT_EQ(verify_math_verify("1/3", "0.333").equal, false);
  EXPECT_EQ(verify_math_verify("$28\\%$", "28 percent").equal, true);
  EXPECT_EQ(verify_math_verify("1.25", "1,25").equal, true) << "a decimal comma";
  EXPECT_EQ(verify_math_verify("$(1,3)$", "$\\{1,3\\}$").equal, true);
  EXPECT_EQ(verify_math_verify("$\\sum_{k=1}^n k$", "$\\sum_{k=0}^n k$").equal, false) << "never undecided";
}

TEST(Policies, LeaveAnEmptyGoldAnswerOpen) {
  for (const char* policy : {"strict", "lenient", "math_verify"}) {
    const Verdict verdict = verify(policy, " ", "5");
    EXPECT_EQ(verdict.equal, std::nullopt) << policy;
    EXPECT_FALSE(verdict.undecided) << policy;
    EXPECT_EQ(verify(policy, "5", "").equal, false) << policy;
  }
}

}  // namespace
}  // namespace agro
