#include "data/problems/countdown_problem.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/error.h"
#include "data/problems/countdown_solver.h"

namespace agro {
namespace {

constexpr std::array kQuestions = {
    "Use the numbers {}, each at most once, with + - * / and brackets to make {}.",
    "Make {1} from the numbers {0}. You may use + - * / and brackets, and each number at most once.",
    "Using {}, each at most once, write a calculation with + - * / and brackets whose result is {}."};
constexpr std::array<int64_t, 4> kLarge = {25, 50, 75, 100};

std::vector<int64_t> random_numbers(Chance& chance, int64_t level) {
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i <= level; ++i)
    numbers.push_back(level >= 3 && chance.percent(25) ? chance.pick(kLarge)
                                                       : chance.number(1, std::min<int64_t>(20, 8 + 3 * level)));
  return numbers;
}

/// The result of putting all numbers together at random; 0 where a step is not allowed.
int64_t random_target(Chance& chance, std::vector<int64_t> numbers) {
  while (numbers.size() > 1) {
    const auto take = [&] {
      const auto at = numbers.begin() + chance.between(0, static_cast<int64_t>(numbers.size()) - 1);
      const int64_t number = *at;
      numbers.erase(at);
      return number;
    };
    int64_t a = take(), b = take();
    if (a < b) std::swap(a, b);
    const int64_t kind = chance.between(1, 10);
    if (kind <= 4)
      numbers.push_back(a + b);
    else if (kind <= 7)
      numbers.push_back(a - b);
    else if (kind == 8 && b > 1 && a % b == 0)
      numbers.push_back(a / b);
    else
      numbers.push_back(a * b);
    if (numbers.back() < 1) return 0;
  }
  return numbers[0];
}

}  // namespace

PracticeProblem countdown_problem(Chance& chance, int64_t level) {
  if (level < 1 || level > kCountdownLevels)
    throw fail("countdown has levels 1 to {}, found {}", kCountdownLevels, level);
  constexpr int kMostTries = 10000;
  for (int tries = 0; tries < kMostTries; ++tries) {
    const std::vector<int64_t> numbers = random_numbers(chance, level);
    const int64_t target = random_target(chance, numbers);
    if (target < 5 || target > 999 * chance.widening() || std::count(numbers.begin(), numbers.end(), target) > 0)
      continue;
    const auto solution = solve_countdown(numbers, target, level);
    if (!solution || static_cast<int64_t>(solution->steps.size()) != level) continue;
    PracticeProblem problem{
        .kind = "countdown", .level = level, .question = {}, .answer = {}, .key = {}, .working = {}, .chain = {}};
    const std::string list = fmt::format("{}", fmt::join(numbers, ", "));
    problem.question = fmt::format(fmt::runtime(chance.pick(kQuestions)), list, target);
    problem.answer = fmt::format("{} from {}", target, list);
    std::vector<int64_t> sorted = numbers;
    std::sort(sorted.begin(), sorted.end());
    problem.key = fmt::format("countdown:{}={}", fmt::join(sorted, ","), target);
    for (const CountdownStep& step : solution->steps)
      problem.working += fmt::format("{} {} {} = {}\n", step.left, step.op, step.right, step.result);
    problem.working += "#### " + solution->expression;
    return problem;
  }
  throw fail("found no countdown problem of level {} in {} tries", level, kMostTries);
}

}  // namespace agro
