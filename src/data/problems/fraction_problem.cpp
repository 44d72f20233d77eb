#include "data/problems/fraction_problem.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "core/error.h"
#include "data/problems/fraction.h"

namespace agro {
namespace {

constexpr std::array kQuestions = {"What is {}? Give a fraction in lowest terms or a whole number.",
                                   "Calculate {} as a fraction in lowest terms.",
                                   "Work out {}. Write the result as a reduced fraction or a whole number.",
                                   "Find the value of {} as a fraction in lowest terms."};
constexpr std::array kOps = {'+', '-', '*', '/'};
constexpr int64_t kLargestNumerator = 2000, kLargestDenominator = 720;

bool is_product(char op) { return op == '*' || op == '/'; }

Fraction random_operand(Chance& chance, int64_t level, bool product) {
  if (chance.percent(product ? 35 : 15)) return {chance.between(2, 9), 1};
  const int64_t den = chance.number(2, std::min<int64_t>(12, 5 + level));
  const int64_t num = chance.between(1, den + den / 2);
  return make_fraction(num == den ? num + 1 : num, den);  // times 1 is no step
}

bool is_fit(Fraction value, const Chance& chance) {
  return value.num > 0 && value.num <= kLargestNumerator * chance.widening() &&
         value.den <= kLargestDenominator * chance.widening();
}

/// "1/2 + 3/4 = 2/4 + 3/4 = 5/4", "2/3 / (4/5) = 2/3 * 5/4 = 10/12 = 5/6".
std::string step_line(Fraction left, char op, Fraction right, Fraction result) {
  const bool divides = op == '/';
  std::string line = fmt::format("{} {} {}", to_text(left), op,
                                 divides && !right.is_whole() ? '(' + to_text(right) + ')' : to_text(right));
  int64_t num = 0, den = 1;  // before it is reduced
  if (is_product(op)) {
    if (divides) {
      std::swap(right.num, right.den);
      line += fmt::format(" = {} * {}", to_text(left), to_text(right));
    }
    num = left.num * right.num, den = left.den * right.den;
  } else {
    den = std::lcm(left.den, right.den);
    const int64_t a = left.num * (den / left.den), b = right.num * (den / right.den);
    if (den != left.den || den != right.den) line += fmt::format(" = {}/{} {} {}/{}", a, den, op, b, den);
    num = op == '+' ? a + b : a - b;
  }
  if (den != 1 && den != result.den) line += fmt::format(" = {}/{}", num, den);
  return line + " = " + to_text(result);
}

}  // namespace

PracticeProblem fraction_problem(Chance& chance, int64_t level) {
  PracticeProblem problem{
      .kind = "fraction", .level = level, .question = {}, .answer = {}, .key = {}, .working = {}, .chain = {}};
  Fraction value = random_operand(chance, level, false);
  std::string text = to_text(value);
  bool is_sum = false;
  for (int64_t done = 0; done < level;) {
    const char op = chance.pick(kOps);
    const Fraction operand = random_operand(chance, level, is_product(op));
    const Fraction result = apply(value, op, operand);
    if (!is_fit(result, chance)) continue;
    if (is_sum && is_product(op)) text = '(' + text + ')';
    const bool bracket = op == '/' && !operand.is_whole();
    text += fmt::format(" {} {}", op, bracket ? '(' + to_text(operand) + ')' : to_text(operand));
    is_sum = !is_product(op);
    problem.working += step_line(value, op, operand, result) + '\n';
    value = result;
    ++done;
  }
  problem.question = fmt::format(fmt::runtime(chance.pick(kQuestions)), text);
  problem.answer = to_text(value);
  problem.key = "fraction:" + text;
  problem.working += "#### " + problem.answer;
  return problem;
}

}  // namespace agro
