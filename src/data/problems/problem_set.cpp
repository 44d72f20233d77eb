#include "data/problems/problem_set.h"

#include <unordered_set>

#include "core/error.h"
#include "data/problems/arithmetic.h"
#include "data/problems/word_problem.h"

namespace agro {
namespace {

/// FNV-1a, 64 bits, with a final mix: equal on every machine, so that splits never move.
uint64_t stable_hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash ^= hash >> 32;
  return hash * 0x9e3779b97f4a7c15;
}

Problem make_problem(const std::string& kind, Chance& chance, int64_t level) {
  if (kind == "arithmetic") return arithmetic_problem(chance, level);
  if (kind == "word") return word_problem(chance, level);
  throw fail("unknown kind of problem '{}': expected arithmetic or word", kind);
}

SolutionStyle draw_style(Chance& chance, const std::vector<WorkingShare>& workings) {
  int64_t total = 0;
  for (const WorkingShare& w : workings) total += w.share;
  int64_t ticket = chance.between(1, total);
  for (const WorkingShare& w : workings)
    if ((ticket -= w.share) <= 0) return w.style;
  return workings.back().style;
}

}  // namespace

ProblemSplit problem_split(const Problem& problem) {
  const uint64_t tenth = (stable_hash(calculation_key(problem)) >> 32) % 10;
  return tenth == 0 ? ProblemSplit::kTest : tenth == 1 ? ProblemSplit::kSelection : ProblemSplit::kTrain;
}

std::vector<SolvedProblem> make_problems(const ProblemSetOptions& options) {
  if (options.min_level < 1 || options.max_level > 12 || options.min_level > options.max_level)
    throw fail("levels {} to {} are not within 1 to 12", options.min_level, options.max_level);
  if (options.kinds.empty() || options.workings.empty()) throw Error("no kind of problem, or no manner of working");
  std::vector<SolvedProblem> problems;
  std::unordered_set<std::string> questions;
  constexpr int kFruitless = 20000;  // draws in a row: the settings are exhausted, or nearly
  int fruitless = 0;
  for (uint64_t ordinal = 0; static_cast<int64_t>(problems.size()) < options.count; ++ordinal) {
    if (++fruitless > kFruitless)
      throw fail("found only {} different problems, expected {}", problems.size(), options.count)
          .hint("allow more levels or kinds");
    Chance chance(options.seed, ordinal);
    const std::string& kind = chance.pick(options.kinds);
    const int64_t level = chance.between(options.min_level, options.max_level);
    Problem problem = make_problem(kind, chance, level);
    if (problem_split(problem) != options.split || !questions.insert(problem.question).second) continue;
    std::string working = solution(problem, draw_style(chance, options.workings));
    problems.push_back({std::move(problem), std::move(working)});
    fruitless = 0;
  }
  return problems;
}

OrderedJson problem_record(const SolvedProblem& solved, const std::string& id) {
  const Problem& p = solved.problem;
  return {{"id", id},
          {"kind", p.kind},
          {"level", p.level()},
          {"prompt", p.question + "\n"},
          {"answer", std::to_string(p.answer())},
          {"completion", solved.working}};
}

}  // namespace agro
