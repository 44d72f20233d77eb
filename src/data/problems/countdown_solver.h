#pragma once
// The numbers game Countdown: make a target from some numbers, each used at most once.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace agro {

struct CountdownStep {
  int64_t left = 0;
  char op = '+';
  int64_t right = 0, result = 0;
};

struct CountdownSolution {
  std::vector<CountdownStep> steps;  // as few as there can be; the last result is the target
  std::string expression;            // the steps as one: "(50 + 25) * 3 - 7"
};

/// A solution of at most `max_steps` steps with + - * /, every result a whole number above 0; nullopt where there is
/// none. Searches all of them, shortest first: for 6 numbers a tenth of a second. Throws Error for more than 6 numbers.
std::optional<CountdownSolution> solve_countdown(const std::vector<int64_t>& numbers, int64_t target,
                                                 int64_t max_steps);

}  // namespace agro
