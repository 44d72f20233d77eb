#pragma once
// A practice problem with exact working: a calculation in steps, told as a question.
#include <cstdint>
#include <string>
#include <vector>

namespace agro {

/// A number of the problem, or the result of an earlier step.
struct Operand {
  int64_t value = 0;
  int64_t step = -1;  // index of the step whose result this is; −1: given in the problem
};

/// left op right = result; op is one of + - * /. Division leaves no remainder.
struct Step {
  Operand left;
  char op = '+';
  Operand right;
  int64_t result = 0;
  std::string told;  // a sentence of the working, {calc} standing for the calculation
};

struct Problem {
  std::string kind;  // "arithmetic" or "word"
  std::string question;
  std::vector<Step> steps;  // at least one; the last result is the answer

  int64_t answer() const { return steps.back().result; }
  int64_t level() const { return static_cast<int64_t>(steps.size()); }
};

/// The calculation without its clothes: "12+7;3*#0". Two problems that differ in words, names or the order of a sum's
/// terms have the same key.
std::string calculation_key(const Problem& problem);

/// The whole calculation on one line: "(12 + 7) * 3 - 5".
std::string expression(const Problem& problem);

/// Appends left op right with its result. Throws Error where a division leaves a remainder.
Operand add_step(Problem& problem, Operand left, char op, Operand right, std::string told);

}  // namespace agro
