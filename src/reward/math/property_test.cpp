#include <fmt/format.h>
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
    const std::string sum = fmt::format("({})({} + {})", a, b, c);
    for (const std::string& same :
         {fmt::format("({2} + {1})({0})", a, b, c), fmt::format("({0})({1}) + ({0})({2})", a, b, c),
          fmt::format("\\frac{{3({})({} + {})}}{{3}}", a, b, c), sum + " + x - x"})
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

// (x - a)(x - b)(c²x² + 1) < 0 holds between a and b, and its other signs elsewhere.
TEST_P(Properties, InequalitiesAreComparedByTheirSolutions) {
  for (int round = 0; round < kRounds; ++round) {
    const auto whole = [&](uint64_t bound) { return static_cast<int64_t>(random_.below(bound)); };
    const int64_t low = whole(30) - 15, high = low + 1 + whole(9);
    const auto factor = [](int64_t root) { return fmt::format("(x - ({}))", root); };
    std::string product = factor(low) + factor(high);
    for (uint64_t extra = random_.below(3); extra > 0; --extra) product += fmt::format("({}x^2 + 1)", 1 + whole(9));
    const bool closed = random_.below(2) == 0;
    const std::string inside = product + (closed ? " \\le 0" : " < 0"),
                      outside = product + (closed ? " \\ge 0" : " > 0");
    const std::string between = fmt::format("{0} {2} x {2} {1}", low, high, closed ? "\\le" : "<");
    const std::string apart =
        fmt::format("x {2} {0} \\text{{ or }} x {3} {1}", low, high, closed ? "\\le" : "<", closed ? "\\ge" : ">");
    EXPECT_EQ(equal(inside, between), true) << inside << " and " << between << ", seed " << seed_;
    EXPECT_EQ(equal(outside, apart), true) << outside << " and " << apart << ", seed " << seed_;
    EXPECT_EQ(equal(inside, apart), false) << inside << " and " << apart << ", seed " << seed_;
    const std::string wider = fmt::format("{0} {2} x {2} {1}", low, high + 1, closed ? "\\le" : "<");
    EXPECT_EQ(equal(inside, wider), false) << inside << " and " << wider << ", seed " << seed_;
    const std::string other_ends = fmt::format("{0} {2} x {2} {1}", low, high, closed ? "<" : "\\le");
    EXPECT_EQ(equal(between, other_ends), false) << between << " and " << other_ends << ", seed " << seed_;
  }
}

TEST_P(Properties, EquationsAreComparedByTheirSolutions) {
  for (int round = 0; round < kRounds; ++round) {
    const auto whole = [&](int64_t bound) { return static_cast<int64_t>(random_.below(static_cast<uint64_t>(bound))); };
    const int64_t a = whole(20) - 10, b = whole(20) - 10, c = 1 + whole(9);
    const std::string once = fmt::format("{}(x - ({}))(x - ({})) = 0", c, a, b);
    const std::string often = fmt::format("(x - ({0}))^2 (x - ({1}))^3 = 0", a, b);
    const std::string other = fmt::format("(x - ({}))(x - ({})) = 0", a, b + 1);
    EXPECT_EQ(equal(once, often), true) << once << " and " << often << ", seed " << seed_;
    EXPECT_EQ(equal(often, other), false) << often << " and " << other << ", seed " << seed_;
    const std::string line = fmt::format("{}x + {}y = {}", c, a, b);
    const std::string solved = fmt::format("x = \\frac{{{1} - ({0})y}}{{{2}}}", a, b, c);
    const std::string moved = fmt::format("x = \\frac{{{1} - ({0})y}}{{{2}}}", a, b + 1, c);
    EXPECT_EQ(equal(line, solved), true) << line << " and " << solved << ", seed " << seed_;
    EXPECT_EQ(equal(line, moved), false) << line << " and " << moved << ", seed " << seed_;
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, Properties, testing::Values("strict", "lenient"),
                         [](const auto& name) { return std::string(name.param); });

}  // namespace
}  // namespace agro
