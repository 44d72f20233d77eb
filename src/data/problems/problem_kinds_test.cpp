// Equations, fractions and Countdown: their answers by computations that do not know how they were made.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <map>
#include <numeric>
#include <regex>
#include <set>

#include "core/error.h"
#include "core/rng.h"
#include "data/problems/countdown_solver.h"
#include "data/problems/fraction.h"
#include "data/problems/problem_set.h"

namespace agro {
namespace {

using testing::HasSubstr;

/// a·x + b, exactly.
struct Linear {
  Fraction a, b;
};

/// Reads sums and products of fractions and x, "3(x + 4)/2 - 5x", by the usual precedence.
class LinearReader {
 public:
  explicit LinearReader(std::string text) : text_(std::move(text)) { std::erase(text_, ' '); }

  Linear read() {
    const Linear value = sum();
    EXPECT_EQ(at_, text_.size()) << text_;
    return value;
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  Linear sum() {
    const bool negative = peek() == '-';
    at_ += negative ? 1 : 0;
    Linear value = product();
    if (negative) value = {apply({0, 1}, '-', value.a), apply({0, 1}, '-', value.b)};
    while (peek() == '+' || peek() == '-') {
      const char op = text_[at_++];
      const Linear right = product();
      value = {apply(value.a, op, right.a), apply(value.b, op, right.b)};
    }
    return value;
  }
  Linear product() {
    Linear value = factor();
    while (true) {
      if (peek() == '/') {
        ++at_;
        const Linear right = factor();
        EXPECT_EQ(right.a, Fraction{}) << text_;
        value = {apply(value.a, '/', right.b), apply(value.b, '/', right.b)};
      } else if (peek() == '*' || peek() == '(' || peek() == 'x') {
        at_ += peek() == '*' ? 1 : 0;
        const Linear right = factor();
        EXPECT_TRUE(value.a == Fraction{} || right.a == Fraction{}) << text_;
        value = {apply(apply(value.a, '*', right.b), '+', apply(value.b, '*', right.a)), apply(value.b, '*', right.b)};
      } else {
        return value;
      }
    }
  }
  Linear factor() {
    if (peek() == '(') {
      ++at_;
      const Linear value = sum();
      EXPECT_EQ(peek(), ')') << text_;
      ++at_;
      return value;
    }
    if (peek() == 'x') {
      ++at_;
      return {{1, 1}, {0, 1}};
    }
    EXPECT_TRUE(std::isdigit(static_cast<unsigned char>(peek()))) << text_;
    int64_t number = 0;
    while (std::isdigit(static_cast<unsigned char>(peek())) != 0) number = 10 * number + (text_[at_++] - '0');
    return {{0, 1}, {number, 1}};
  }

  std::string text_;
  size_t at_ = 0;
};

Fraction value_of(const std::string& text) {
  const Linear value = LinearReader(text).read();
  EXPECT_EQ(value.a, Fraction{}) << text;
  return value.b;
}

std::vector<PracticeProblem> some(const std::string& kind, int64_t max_level, int64_t count = 1500,
                                  ProblemSplit split = ProblemSplit::kTrain, uint64_t seed = 4) {
  ProblemSetOptions options;
  options.kinds = {kind}, options.max_level = max_level, options.count = count, options.split = split;
  options.seed = seed;
  return make_problems(options);
}

/// What of the key stands behind its first colon.
std::string asked(const PracticeProblem& problem) { return problem.key.substr(problem.key.find(':') + 1); }

/// Every line of the working before the answer, cut at "=", has sides of one value.
template <class ValueOf>
void expect_true_lines(const PracticeProblem& problem, ValueOf value) {
  std::istringstream lines(problem.working.substr(0, problem.working.find("####")));
  for (std::string line; std::getline(lines, line);) {
    std::set<std::pair<int64_t, int64_t>> values;
    std::istringstream sides(line);
    for (std::string side; std::getline(sides, side, '=');) {
      const Fraction v = value(side);
      values.emplace(v.num, v.den);
    }
    EXPECT_EQ(values.size(), 1U) << line << "\nin " << problem.question;
  }
}

void expect_right_fractions(const std::vector<PracticeProblem>& problems) {
  for (const PracticeProblem& p : problems) {
    const Fraction value = value_of(asked(p));
    EXPECT_EQ(to_text(value), p.answer) << p.question;
    EXPECT_GT(value.num, 0);
    EXPECT_THAT(p.question, HasSubstr(asked(p)));
    EXPECT_THAT(p.working, testing::EndsWith("\n#### " + p.answer));
    EXPECT_EQ(std::count(p.working.begin(), p.working.end(), '\n'), p.level);
    expect_true_lines(p, value_of);
  }
}

TEST(FractionProblems, TheAnswerIsTheValueInLowestTerms) { expect_right_fractions(some("fraction", 8)); }

void expect_right_equations(const std::vector<PracticeProblem>& problems) {
  for (const PracticeProblem& p : problems) {
    const std::string equation = asked(p);
    EXPECT_THAT(p.question, HasSubstr(equation));
    const size_t equals = equation.find('=');
    const Linear left = LinearReader(equation.substr(0, equals)).read();
    const Linear right = LinearReader(equation.substr(equals + 1)).read();
    const Fraction slope = apply(left.a, '-', right.a);
    ASSERT_NE(slope, Fraction{}) << equation;
    EXPECT_EQ(to_text(apply(apply(right.b, '-', left.b), '/', slope)), p.answer) << equation;
    EXPECT_THAT(p.working, testing::EndsWith("\n#### " + p.answer));
    const Fraction x = value_of(p.answer);
    expect_true_lines(p, [&](const std::string& side) {
      const Linear value = LinearReader(side).read();
      return apply(apply(value.a, '*', x), '+', value.b);
    });
  }
}

TEST(EquationProblems, TheAnswerIsTheOnlySolution) {
  const std::vector<PracticeProblem> problems = some("equation", 8);
  expect_right_equations(problems);
  EXPECT_GT(std::ranges::count_if(problems, [](const auto& p) { return p.answer.find('/') != std::string::npos; }), 50);
  const auto both_sides = [](const PracticeProblem& p) {
    const std::string equation = asked(p);
    return equation.find('x', equation.find('=')) != std::string::npos;
  };
  EXPECT_GT(std::ranges::count_if(problems, both_sides), 50);
}

/// Every value that some of the numbers can make with results above 0, with the fewest operations: by splitting sets of
/// numbers into two parts.
std::map<int64_t, int> reachable(const std::vector<int64_t>& numbers) {
  const size_t all = (1U << numbers.size()) - 1;
  std::vector<std::set<int64_t>> made(all + 1);
  std::map<int64_t, int> fewest;
  for (size_t set = 1; set <= all; ++set) {
    const int size = std::popcount(set);
    if (size == 1) made[set].insert(numbers[static_cast<size_t>(std::countr_zero(set))]);
    for (size_t part = (set - 1) & set; part > 0; part = (part - 1) & set) {
      for (const int64_t a : made[part]) {
        for (const int64_t b : made[set ^ part]) {
          made[set].insert(a + b);
          made[set].insert(a * b);
          if (a > b) made[set].insert(a - b);
          if (a % b == 0) made[set].insert(a / b);
        }
      }
    }
    for (const int64_t value : made[set]) {
      const auto [at, is_new] = fewest.emplace(value, size - 1);
      at->second = std::min(at->second, size - 1);
    }
  }
  return fewest;
}

TEST(CountdownSolver, FindsTheShortestSolutionWhereThereIsOne) {
  constexpr uint64_t kSeed = 3;
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  for (uint64_t trial = 0; trial < 12; ++trial) {
    DrawKey key{kSeed, Stream::kTest, trial, 0, 0};
    std::vector<int64_t> numbers;
    for (int i = 0; i < 4; ++i) ++key.position, numbers.push_back(1 + static_cast<int64_t>(uniform_below(key, 12)));
    const std::map<int64_t, int> fewest = reachable(numbers);
    for (int64_t target = 1; target <= 60; ++target) {
      if (std::count(numbers.begin(), numbers.end(), target) > 0) continue;  // no operation is needed
      const auto found = solve_countdown(numbers, target, 3);
      const auto expected = fewest.find(target);
      ASSERT_EQ(found.has_value(), expected != fewest.end()) << target << " from " << testing::PrintToString(numbers);
      if (!found) continue;
      EXPECT_EQ(static_cast<int>(found->steps.size()), expected->second) << target;
      EXPECT_EQ(value_of(found->expression), (Fraction{target, 1})) << found->expression;
    }
  }
  EXPECT_THROW(solve_countdown({1, 2, 3, 4, 5, 6, 7}, 100, 6), Error);
}

void expect_right_countdowns(const std::vector<PracticeProblem>& problems) {
  const std::regex number("[0-9]+");
  const auto numbers_of = [&](const std::string& text) {
    std::multiset<std::string> found(std::sregex_token_iterator(text.begin(), text.end(), number), {});
    return found;
  };
  for (const PracticeProblem& p : problems) {
    const size_t from = p.answer.find(" from ");
    ASSERT_NE(from, std::string::npos) << p.answer;
    const std::string target = p.answer.substr(0, from), expression = p.working.substr(p.working.find("#### ") + 5);
    EXPECT_EQ(to_text(value_of(expression)), target) << p.question;
    // As many operations as the level needs every number once.
    EXPECT_EQ(numbers_of(expression), numbers_of(p.answer.substr(from))) << p.question;
    EXPECT_EQ(static_cast<int64_t>(numbers_of(expression).size()), p.level + 1);
    EXPECT_THAT(p.question, HasSubstr(target));
    expect_true_lines(p, value_of);
  }
}

TEST(CountdownProblems, TheSolutionUsesTheNumbersAndMakesTheTarget) {
  expect_right_countdowns(some("countdown", 4, 300));
}

// 1,724 equations, 7,048 fractions and 564 Countdowns of level 1 exist with the numbers of that level.
TEST(ProblemKinds, NumbersGrowWhereTheProblemsOfALevelAreUsedUp) {
  const auto last_of = [](const std::string& kind, int64_t count) {
    std::vector<PracticeProblem> problems = some(kind, 1, count);
    std::set<std::string> questions;
    for (const PracticeProblem& p : problems) questions.insert(p.question);
    EXPECT_EQ(static_cast<int64_t>(questions.size()), count) << kind;
    const auto fewer = some(kind, 1, 100);
    for (size_t i = 0; i < fewer.size(); ++i) EXPECT_EQ(fewer[i].question, problems[i].question);
    return std::vector<PracticeProblem>(problems.end() - 200, problems.end());
  };
  expect_right_equations(last_of("equation", 5000));
  expect_right_fractions(last_of("fraction", 12000));
  expect_right_countdowns(last_of("countdown", 2000));
}

TEST(ProblemKinds, SplitsShareNoProblemAndSeedsRepeatThem) {
  for (const std::string kind : {"equation", "fraction", "countdown"}) {
    std::map<std::string, ProblemSplit> seen;
    for (const ProblemSplit split : {ProblemSplit::kTrain, ProblemSplit::kSelection, ProblemSplit::kTest})
      for (const uint64_t seed : {1U, 2U})
        for (const PracticeProblem& p : some(kind, 3, 150, split, seed))
          EXPECT_EQ(seen.emplace(p.key, split).first->second, split) << p.question;
    const auto once = some(kind, 3, 20), again = some(kind, 3, 20);
    for (size_t i = 0; i < once.size(); ++i) EXPECT_EQ(once[i].working, again[i].working);
    EXPECT_EQ(problem_record(once[0], "a")["answer"], once[0].answer);
  }
}

TEST(ProblemKinds, UnknownOnesAndLevelsBeyondAreErrors) {
  EXPECT_THAT([] { some("geometry", 2); },
              testing::ThrowsMessage<Error>(HasSubstr("expected one of arithmetic, word")));
  EXPECT_THAT([] { some("countdown", 6); },
              testing::ThrowsMessage<Error>(HasSubstr("countdown problems have levels 1 to 5")));
}

TEST(Fractions, AreExactAndRefuseWhatHasNoResult) {
  EXPECT_EQ(to_text(make_fraction(6, -4)), "-3/2");
  EXPECT_EQ(to_text(apply({1, 2}, '-', {1, 2})), "0");
  EXPECT_THROW(make_fraction(1, 0), Error);
  EXPECT_THROW(apply({1, 2}, '/', {0, 1}), Error);
  EXPECT_THROW(apply({INT64_MAX, 1}, '*', {2, 1}), Error);
  EXPECT_THROW(apply({1, 1}, '^', {2, 1}), Error);
}

}  // namespace
}  // namespace agro
