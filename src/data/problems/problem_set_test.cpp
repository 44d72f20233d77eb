// Practice problems: right answers by an evaluator of its own, splits that never share a calculation, workings that say
// what is true.
#include "data/problems/problem_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>

#include "core/error.h"

namespace agro {
namespace {

/// Reads "(12 + 7) * 3 - 5" by the usual precedence; fails the test on a remainder.
class ExpressionReader {
 public:
  explicit ExpressionReader(std::string text) : text_(std::move(text)) { std::erase(text_, ' '); }

  int64_t sum() {
    int64_t value = product();
    while (peek() == '+' || peek() == '-') value = take() == '+' ? value + product() : value - product();
    return value;
  }
  bool at_end() const { return at_ == text_.size(); }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  char take() { return text_[at_++]; }
  int64_t product() {
    int64_t value = factor();
    while (peek() == '*' || peek() == '/') {
      if (take() == '*') {
        value *= factor();
      } else {
        const int64_t divisor = factor();
        EXPECT_EQ(value % divisor, 0) << text_;
        value /= divisor;
      }
    }
    return value;
  }
  int64_t factor() {
    if (peek() == '(') {
      take();
      const int64_t value = sum();
      EXPECT_EQ(take(), ')') << text_;
      return value;
    }
    int64_t value = 0;
    while (peek() >= '0' && peek() <= '9') value = 10 * value + (take() - '0');
    return value;
  }

  std::string text_;
  size_t at_ = 0;
};

int64_t value_of(const std::string& text) {
  ExpressionReader reader(text);
  const int64_t value = reader.sum();
  EXPECT_TRUE(reader.at_end()) << text;
  return value;
}

std::vector<PracticeProblem> some(ProblemSplit split, uint64_t seed, int64_t count = 2000) {
  ProblemSetOptions options;
  options.max_level = 6;
  options.split = split, options.seed = seed, options.count = count;
  options.workings = {{SolutionStyle::kTerse, 1},
                      {SolutionStyle::kSteps, 1},
                      {SolutionStyle::kSentences, 1},
                      {SolutionStyle::kDigits, 1}};
  return make_problems(options);
}

TEST(Problems, TheExpressionHasTheAnswerAndEveryStepIsWithinBounds) {
  for (const PracticeProblem& solved : some(ProblemSplit::kTrain, 3)) {
    const Problem& p = *solved.chain;
    EXPECT_EQ(value_of(expression(p)), p.answer()) << p.question;
    EXPECT_GE(p.level(), 1);
    EXPECT_LE(p.level(), 6);
    for (const Step& step : p.steps) {
      EXPECT_GT(step.result, 0) << p.question;
      EXPECT_LT(step.result, 2000) << p.question;
      for (const Operand& operand : {step.left, step.right})
        EXPECT_TRUE(operand.step < 0 || operand.value == p.steps[static_cast<size_t>(operand.step)].result);
    }
  }
}

TEST(Problems, EveryNumberOfTheCalculationStandsInTheQuestion) {
  const std::regex number("[0-9]+");
  for (const PracticeProblem& solved : some(ProblemSplit::kTrain, 4)) {
    const std::string& question = solved.question;
    EXPECT_THAT(question, testing::Not(testing::HasSubstr("{")));
    std::multiset<std::string> said(std::sregex_token_iterator(question.begin(), question.end(), number), {});
    for (const Step& step : solved.chain->steps)
      for (const Operand& operand : {step.left, step.right})
        EXPECT_TRUE(operand.step >= 0 || said.contains(std::to_string(operand.value))) << question;
  }
}

TEST(Problems, EveryEquationOfAWorkingIsTrue) {
  const std::regex equation(R"([0-9(][0-9 ()+*/=-]*= *[0-9]+)");
  int64_t equations = 0;
  for (const PracticeProblem& solved : some(ProblemSplit::kTrain, 5)) {
    const std::string& text = solved.working;
    EXPECT_THAT(text, testing::EndsWith("\n#### " + std::to_string(solved.chain->answer())));
    for (std::sregex_iterator at(text.begin(), text.end(), equation), end; at != end; ++at) {
      std::set<int64_t> values;
      std::istringstream sides(at->str());
      for (std::string side; std::getline(sides, side, '=');) values.insert(value_of(side));
      EXPECT_EQ(values.size(), 1U) << at->str();
      ++equations;
    }
  }
  EXPECT_GT(equations, 4000);
}

TEST(Problems, SplitsShareNoCalculation) {
  std::map<std::string, ProblemSplit> seen;
  for (const ProblemSplit split : {ProblemSplit::kTrain, ProblemSplit::kSelection, ProblemSplit::kTest}) {
    for (const uint64_t seed : {1U, 2U}) {
      for (const PracticeProblem& solved : some(split, seed)) {
        const auto [at, added] = seen.emplace(solved.key, split);
        EXPECT_EQ(at->second, split) << solved.question;
      }
    }
  }
}

TEST(Problems, TheKeyForgetsWordsAndTheOrderOfTerms) {
  Problem a{.kind = "word", .question = "one way", .steps = {}}, b{.kind = "word", .question = "another", .steps = {}};
  add_step(a, add_step(a, {12}, '+', {7}, "x {calc}"), '*', {3}, "y {calc}");
  add_step(b, {3}, '*', add_step(b, {7}, '+', {12}, "z {calc}"), "w {calc}");
  EXPECT_EQ(calculation_key(a), calculation_key(b));
  EXPECT_EQ(expression(a), "(12 + 7) * 3");
  Problem c{.kind = "word", .question = "one way", .steps = {}};
  add_step(c, add_step(c, {12}, '-', {7}, "{calc}"), '*', {3}, "{calc}");
  EXPECT_NE(calculation_key(a), calculation_key(c));
}

TEST(Problems, ASeedGivesTheSameProblemsEverywhere) {
  ProblemSetOptions options;
  options.count = 3, options.seed = 0, options.kinds = {"word"}, options.max_level = 2;
  const auto problems = make_problems(options), again = make_problems(options);
  ASSERT_EQ(problems.size(), 3U);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(problems[i].question, again[i].question);
  EXPECT_EQ(
      problems[0].question,
      "Iris packs 8 bags of 17 cookies each. Leo gives Iris 28 cookies. How many cookies does Iris have in the end?");
}

TEST(Problems, WorkingsDifferInManner) {
  Problem p{.kind = "word", .question = "?", .steps = {}};
  add_step(p, add_step(p, {47}, '+', {38}, "Now there are {calc} eggs."), '-', {16}, "Now there are {calc} eggs.");
  EXPECT_EQ(solution(p, SolutionStyle::kTerse), "47 + 38 - 16 = 69\n#### 69");
  EXPECT_EQ(solution(p, SolutionStyle::kSteps), "47 + 38 = 85\n85 - 16 = 69\n#### 69");
  EXPECT_EQ(solution(p, SolutionStyle::kSentences),
            "Now there are 47 + 38 = 85 eggs. Now there are 85 - 16 = 69 eggs.\n#### 69");
  EXPECT_EQ(solution(p, SolutionStyle::kDigits), "47 + 38 = 70 + 15 = 85\n85 - 16 = 75 - 6 = 69\n#### 69");
}

TEST(Problems, SettingsThatCannotBeMetAreErrors) {
  ProblemSetOptions options;
  options.min_level = 4, options.max_level = 2;
  EXPECT_THAT([&] { make_problems(options); }, testing::ThrowsMessage<Error>(testing::HasSubstr("levels 4 to 2")));
  EXPECT_THAT([] { solution_style_named("step"); }, testing::ThrowsMessage<Error>(testing::HasSubstr("'steps'")));
  Problem p;
  EXPECT_THAT([&] { add_step(p, {7}, '/', {2}, ""); }, testing::ThrowsMessage<Error>(testing::HasSubstr("7 / 2")));
}

}  // namespace
}  // namespace agro
