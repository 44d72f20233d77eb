#include "data/problems/countdown_solver.h"

#include <algorithm>

#include "core/error.h"

namespace agro {
namespace {

constexpr size_t kMostNumbers = 6;
constexpr int64_t kLargestResult = 1'000'000;

class Search {
 public:
  explicit Search(int64_t target) : target_(target) {}

  /// Whether the target is the result of the last of `steps` further steps on the numbers.
  bool reach(const std::vector<int64_t>& numbers, int64_t steps) {
    for (size_t i = 0; i < numbers.size(); ++i) {
      for (size_t j = i + 1; j < numbers.size(); ++j) {
        const int64_t a = std::max(numbers[i], numbers[j]), b = std::min(numbers[i], numbers[j]);
        if (a + b <= kLargestResult && take(numbers, i, j, {a, '+', b, a + b}, steps)) return true;
        if (a > b && take(numbers, i, j, {a, '-', b, a - b}, steps)) return true;
        if (b > 1 && a * b <= kLargestResult && take(numbers, i, j, {a, '*', b, a * b}, steps)) return true;
        if (b > 1 && a % b == 0 && take(numbers, i, j, {a, '/', b, a / b}, steps)) return true;
      }
    }
    return false;
  }

  const std::vector<CountdownStep>& steps() const { return steps_; }

 private:
  bool take(const std::vector<int64_t>& numbers, size_t i, size_t j, CountdownStep step, int64_t steps) {
    if (steps == 1) {
      if (step.result != target_) return false;
      steps_.push_back(step);
      return true;
    }
    std::vector<int64_t> rest = {step.result};
    for (size_t k = 0; k < numbers.size(); ++k)
      if (k != i && k != j) rest.push_back(numbers[k]);
    steps_.push_back(step);
    if (reach(rest, steps - 1)) return true;
    steps_.pop_back();
    return false;
  }

  int64_t target_;
  std::vector<CountdownStep> steps_;
};

/// The steps put into one another. A value that was made is used by the first step after it that asks for it; where a
/// given number is equal, either may stand for the other.
std::string as_expression(const std::vector<CountdownStep>& steps) {
  struct Made {
    int64_t value;
    std::string text;
    bool is_sum;
    bool used;
  };
  std::vector<Made> made;
  const auto operand = [&made](int64_t value, char outer, bool right) {
    for (Made& m : made) {
      if (m.used || m.value != value) continue;
      m.used = true;
      const bool product = m.text.find_first_of("+-*/") != std::string::npos && !m.is_sum;
      const bool brackets =
          m.is_sum ? outer == '*' || outer == '/' || (right && outer == '-') : product && right && outer == '/';
      return brackets ? '(' + m.text + ')' : m.text;
    }
    return std::to_string(value);
  };
  for (const CountdownStep& step : steps) {
    const std::string left = operand(step.left, step.op, false), right = operand(step.right, step.op, true);
    made.push_back(
        {step.result, fmt::format("{} {} {}", left, step.op, right), step.op == '+' || step.op == '-', false});
  }
  return made.back().text;
}

}  // namespace

std::optional<CountdownSolution> solve_countdown(const std::vector<int64_t>& numbers, int64_t target,
                                                 int64_t max_steps) {
  if (numbers.size() > kMostNumbers)
    throw fail("countdown is searched with at most {} numbers, found {}", kMostNumbers, numbers.size());
  for (int64_t steps = 1; steps <= std::min(max_steps, static_cast<int64_t>(numbers.size()) - 1); ++steps) {
    Search search(target);
    if (search.reach(numbers, steps)) return CountdownSolution{search.steps(), as_expression(search.steps())};
  }
  return {};
}

}  // namespace agro
