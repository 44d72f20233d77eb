#include "data/problems/problem.h"

#include <utility>

#include "core/error.h"

namespace agro {
namespace {

std::string operand_key(const Operand& operand) {
  return operand.step < 0 ? std::to_string(operand.value) : fmt::format("#{}", operand.step);
}

bool is_product(char op) { return op == '*' || op == '/'; }

std::string written(const Problem& problem, const Step& step);

/// Parentheses only where the order of operations asks for them.
std::string operand_text(const Problem& problem, const Operand& operand, char outer, bool right) {
  if (operand.step < 0) return std::to_string(operand.value);
  const Step& inner = problem.steps[static_cast<size_t>(operand.step)];
  const bool needed = (is_product(outer) && !is_product(inner.op)) ||
                      (right && (outer == '/' || (outer == '-' && !is_product(inner.op))));
  return needed ? '(' + written(problem, inner) + ')' : written(problem, inner);
}

std::string written(const Problem& problem, const Step& step) {
  return operand_text(problem, step.left, step.op, false) + ' ' + step.op + ' ' +
         operand_text(problem, step.right, step.op, true);
}

int64_t apply(int64_t left, char op, int64_t right) {
  switch (op) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    default:
      break;
  }
  if (op != '/') throw fail("a step's operation is '{}', expected + - * or /", op);
  if (right == 0 || left % right != 0) throw fail("{} / {} is not a whole number", left, right);
  return left / right;
}

}  // namespace

std::string calculation_key(const Problem& problem) {
  std::string key;
  for (const Step& step : problem.steps) {
    std::string left = operand_key(step.left), right = operand_key(step.right);
    if ((step.op == '+' || step.op == '*') && right < left) std::swap(left, right);
    key += (key.empty() ? "" : ";") + left + step.op + right;
  }
  return key;
}

std::string expression(const Problem& problem) { return written(problem, problem.steps.back()); }

Operand add_step(Problem& problem, Operand left, char op, Operand right, std::string told) {
  const int64_t result = apply(left.value, op, right.value);
  problem.steps.push_back({left, op, right, result, std::move(told)});
  return {result, static_cast<int64_t>(problem.steps.size()) - 1};
}

}  // namespace agro
