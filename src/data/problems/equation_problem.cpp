#include "data/problems/equation_problem.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/error.h"
#include "data/problems/fraction.h"

namespace agro {
namespace {

constexpr std::array kQuestions = {"Solve for x: {}", "Find x if {}.", "Which number x satisfies {}?",
                                   "What is x when {}?"};
constexpr int64_t kLargestValue = 2000;

/// The left side on its way from "x" to the whole equation, and what it equals.
struct Side {
  std::string text = "x";
  bool is_sum = false;
  Fraction value;
};

/// How the last move is undone: "(22 + 5)", "27 / 3".
struct Move {
  char op = '+';  // what was done to the left side
  int64_t number = 0;
};

char inverse(char op) { return op == '+' ? '-' : op == '-' ? '+' : op == '*' ? '/' : '*'; }

Side moved(const Side& side, Move move) {
  Side next;
  next.value = apply(side.value, move.op, {move.number, 1});
  next.is_sum = move.op == '+' || move.op == '-';
  const std::string inner = side.is_sum ? '(' + side.text + ')' : side.text;
  if (next.is_sum)
    next.text = fmt::format("{} {} {}", side.text, move.op, move.number);
  else
    next.text = move.op == '*' ? fmt::format("{}{}", move.number, inner) : fmt::format("{}/{}", inner, move.number);
  return next;
}

bool is_fit(const Side& side, const Chance& chance) {
  return side.value.is_whole() && std::abs(side.value.num) <= kLargestValue * chance.widening();
}

/// A move that keeps the right side whole; sums and products take turns, so that no two moves are one.
Move random_move(Chance& chance, const Side& side, bool product, int64_t level) {
  for (int tries = 0; tries < 200; ++tries) {
    Move move;
    if (!product)
      move = {chance.percent(50) ? '+' : '-', chance.number(1, std::min<int64_t>(60, 9 + 4 * level))};
    else if (!side.value.is_whole())
      move = {'*', side.value.den * chance.between(1, 3)};
    else
      move = {chance.percent(70) ? '*' : '/', chance.between(2, 9)};
    if (is_fit(moved(side, move), chance)) return move;
  }
  // A large prime: a product would grow too far, and nothing divides it.
  return product ? Move{'/', std::max<int64_t>(2, std::abs(side.value.num))} : Move{'-', side.value.num};
}

Fraction random_solution(Chance& chance, int64_t level) {
  if (level >= 4 && chance.percent(35)) {
    const int64_t den = chance.between(2, 5);
    return make_fraction(chance.between(1, 6 * den), den);
  }
  const int64_t size = chance.number(1, std::min<int64_t>(40, 12 + 3 * level));
  return {level >= 2 && chance.percent(25) ? -size : size, 1};
}

/// "7x + 4 = 3x + 24": the three moves of an equation with x on both sides.
void on_both_sides(Chance& chance, PracticeProblem& problem, std::string& equation) {
  const int64_t x = chance.number(1, 20) * (chance.percent(25) ? -1 : 1);
  const int64_t a = chance.between(2, 9), k = chance.between(2, 9), b = chance.number(1, 40);
  const bool minus = chance.percent(40);
  const int64_t value = a * x + (minus ? -b : b);
  const char op = minus ? '-' : '+';
  const auto constant = [](int64_t n) { return fmt::format("{} {}", n < 0 ? '-' : '+', std::abs(n)); };
  equation = fmt::format("{}x {} {} = {}x {}", a + k, op, b, k, constant(value));
  problem.answer = std::to_string(x);
  problem.working = fmt::format("{}x {} {} = {}\n{}x = {} {} {} = {}\nx = {} / {} = {}\n", a, op, b, value, a, value,
                                inverse(op), b, a * x, a * x, a, x);
}

}  // namespace

PracticeProblem equation_problem(Chance& chance, int64_t level) {
  PracticeProblem problem{
      .kind = "equation", .level = level, .question = {}, .answer = {}, .key = {}, .working = {}, .chain = {}};
  std::string equation;
  if (level == 3 && chance.percent(50)) {
    on_both_sides(chance, problem, equation);
  } else {
    std::vector<Side> sides(1);
    std::vector<Move> moves;
    sides[0].value = random_solution(chance, level);
    bool product = !sides[0].value.is_whole() || chance.percent(50);
    for (; static_cast<int64_t>(moves.size()) < level; product = !product) {
      moves.push_back(random_move(chance, sides.back(), product, level));
      sides.push_back(moved(sides.back(), moves.back()));
    }
    equation = fmt::format("{} = {}", sides.back().text, to_text(sides.back().value));
    for (size_t i = moves.size(); i-- > 0;)
      problem.working += fmt::format("{} = {} {} {} = {}\n", sides[i].text, to_text(sides[i + 1].value),
                                     inverse(moves[i].op), moves[i].number, to_text(sides[i].value));
    problem.answer = to_text(sides[0].value);
  }
  problem.question = fmt::format(fmt::runtime(chance.pick(kQuestions)), equation);
  problem.key = "equation:" + equation;
  problem.working += "#### " + problem.answer;
  return problem;
}

}  // namespace agro
