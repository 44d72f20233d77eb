#include <gtest/gtest.h>

#include <random>

#include "reward/math/random_answers_test.h"
#include "reward/verify.h"

namespace agro {
namespace {

constexpr int kRounds = 1'500;

class Properties : public testing::TestWithParam<const char*> {
 protected:
  Properties() { RecordProperty("seed", std::to_string(seed_)); }

  std::optional<bool> equal(const std::string& gold, const std::string& pred) {
    return verify(GetParam(), gold, pred).equal;
  }

  const uint64_t seed_ = std::random_device{}();
  RandomAnswers random_{seed_};
};

TEST_P(Properties, Reflexive) {
  for (int round = 0; round < kRounds; ++round) {
    const std::string answer = random_.answer();
    EXPECT_EQ(equal(answer, answer), true) << answer;
    EXPECT_EQ(equal(answer, "So we find \\boxed{" + answer + "}."), true) << answer << ", seed " << seed_;
    EXPECT_NE(equal(answer, respelled(answer)), false) << answer << " and " << respelled(answer) << ", seed " << seed_;
  }
}

TEST_P(Properties, Symmetric) {
  for (int round = 0; round < kRounds; ++round) {
    const std::string a = random_.answer();
    const std::string b = round % 3 == 0 ? respelled(a) : random_.answer();
    EXPECT_EQ(equal(a, b), equal(b, a)) << a << " and " << b << ", seed " << seed_;
    const std::string c = random_.number(), d = random_.number();
    EXPECT_EQ(equal(c, d), equal(d, c)) << c << " and " << d << ", seed " << seed_;
  }
}

TEST_P(Properties, RewrittenFormulasAreNeverCalledDifferent) {
  for (int round = 0; round < kRounds; ++round) {
    const std::string a = random_.formula(2), b = random_.formula(1), c = random_.formula(1);
    const std::string sum = "(" + a + ")(" + b + " + " + c + ")";
    for (const std::string& same :
         {"(" + c + " + " + b + ")(" + a + ")", "(" + a + ")(" + b + ") + (" + a + ")(" + c + ")",
          "\\frac{3(" + a + ")(" + b + " + " + c + ")}{3}", sum + " + x - x"})
      EXPECT_NE(equal(sum, same), false) << sum << " and " << same << ", seed " << seed_;
  }
}

TEST_P(Properties, ShiftedFormulasAreNeverCalledEqual) {
  for (int round = 0; round < kRounds; ++round) {
    const std::string a = random_.formula(3);
    EXPECT_NE(equal(a, a + " + 1"), true) << a << ", seed " << seed_;
    EXPECT_NE(equal("(" + a + ", 2)", "(" + a + ", 3)"), true) << a << ", seed " << seed_;
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, Properties, testing::Values("strict", "lenient"),
                         [](const auto& name) { return std::string(name.param); });

}  // namespace
}  // namespace agro
