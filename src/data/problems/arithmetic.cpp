#include "data/problems/arithmetic.h"

#include <array>

#include "core/error.h"
#include "data/problems/growth.h"

namespace agro {
namespace {

constexpr std::array kQuestions = {"What is {}?",     "Calculate {}.", "Work out {}.", "Find the value of {}.",
                                   "How much is {}?", "{} = ?",        "Compute {}.",  "Evaluate {}."};
constexpr const char* kTold = "We get {calc}.";

/// a * b ± c * d, the three steps that a chain does not make.
Operand two_products(Problem& problem, Chance& chance, int64_t level) {
  const auto product = [&] {
    return add_step(problem, {small_factor(chance)}, '*', {large_factor(chance, level)}, kTold);
  };
  const Operand first = product(), second = product();
  const bool sum = first.value <= second.value || chance.percent(60);
  return add_step(problem, first, sum ? '+' : '-', second, kTold);
}

}  // namespace

Problem arithmetic_problem(Chance& chance, int64_t level) {
  Problem problem{.kind = "arithmetic", .question = {}, .steps = {}};
  Operand value;
  if (level >= 3 && chance.percent(30))
    value = two_products(problem, chance, level);
  else if (chance.percent(25))
    value = add_step(problem, {small_factor(chance)}, '*', {large_factor(chance, level)}, kTold);
  else
    value = {random_term(chance, level)};
  while (problem.level() < level) {
    const NextStep next = random_next(chance, level, value.value);
    const bool swapped = next.op == '*' && chance.percent(40);
    value = swapped ? add_step(problem, {next.number}, next.op, value, kTold)
                    : add_step(problem, value, next.op, {next.number}, kTold);
  }
  problem.question = fmt::format(fmt::runtime(chance.pick(kQuestions)), expression(problem));
  return problem;
}

}  // namespace agro
