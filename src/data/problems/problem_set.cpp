#include "data/problems/problem_set.h"

#include <fmt/ranges.h>

#include <array>
#include <unordered_set>

#include "core/error.h"
#include "core/log.h"
#include "core/stable_hash.h"
#include "data/problems/arithmetic.h"
#include "data/problems/countdown_problem.h"
#include "data/problems/equation_problem.h"
#include "data/problems/fraction_problem.h"
#include "data/problems/word_problem.h"

namespace agro {
namespace {

using Maker = PracticeProblem (*)(Chance&, int64_t level);

/// A chain of calculations; its working is written when its manner is drawn.
template <Problem (*kMake)(Chance&, int64_t)>
PracticeProblem chained(Chance& chance, int64_t level) {
  Problem chain = kMake(chance, level);
  PracticeProblem problem{.kind = chain.kind,
                          .level = chain.level(),
                          .question = chain.question,
                          .answer = std::to_string(chain.answer()),
                          .key = calculation_key(chain),
                          .working = {},
                          .chain = {}};
  problem.chain = std::move(chain);
  return problem;
}

struct KindRow {
  std::string_view name;
  Maker make;
  int64_t max_level;
};

constexpr std::array kKinds = {KindRow{"arithmetic", chained<arithmetic_problem>, 12},
                               KindRow{"word", chained<word_problem>, 12}, KindRow{"equation", equation_problem, 12},
                               KindRow{"fraction", fraction_problem, 12},
                               KindRow{"countdown", countdown_problem, kCountdownLevels}};

const KindRow& kind_named(std::string_view name) {
  for (const KindRow& kind : kKinds)
    if (kind.name == name) return kind;
  throw fail("unknown kind of problem '{}': expected one of {}", name, fmt::join(problem_kinds(), ", "));
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

std::vector<std::string> problem_kinds() {
  std::vector<std::string> names;
  for (const KindRow& kind : kKinds) names.emplace_back(kind.name);
  return names;
}

ProblemSplit problem_split(const PracticeProblem& problem) {
  const uint64_t tenth = (stable_hash(problem.key) >> 32) % 10;
  return tenth == 0 ? ProblemSplit::kTest : tenth == 1 ? ProblemSplit::kSelection : ProblemSplit::kTrain;
}

std::vector<PracticeProblem> make_problems(const ProblemSetOptions& options) {
  if (options.min_level < 1 || options.max_level > 12 || options.min_level > options.max_level)
    throw fail("levels {} to {} are not within 1 to 12", options.min_level, options.max_level);
  if (options.kinds.empty() || options.workings.empty()) throw Error("no kind of problem, or no manner of working");
  for (const std::string& kind : options.kinds)
    if (options.max_level > kind_named(kind).max_level)
      throw fail("{} problems have levels 1 to {}, found {}", kind, kind_named(kind).max_level, options.max_level);
  std::vector<PracticeProblem> problems;
  std::unordered_set<std::string> questions;
  constexpr int kFruitless = 20000;  // draws in a row: numbers of this size are exhausted, or nearly
  constexpr int64_t kMostWidening = 1 << 16;
  int fruitless = 0;
  int64_t widening = 1;
  for (uint64_t ordinal = 0; static_cast<int64_t>(problems.size()) < options.count; ++ordinal) {
    if (++fruitless > kFruitless) {
      if (widening == kMostWidening)
        throw fail("found only {} different problems, expected {}", problems.size(), options.count)
            .hint("allow more levels or kinds");
      widening *= 2;
      fruitless = 0;
      log_info("problems", "after {} different problems: numbers up to {} times as large as the level has",
               problems.size(), widening);
    }
    Chance chance(options.seed, ordinal, widening);
    const KindRow& kind = kind_named(chance.pick(options.kinds));
    PracticeProblem problem = kind.make(chance, chance.between(options.min_level, options.max_level));
    if (problem_split(problem) != options.split || !questions.insert(problem.question).second) continue;
    if (problem.chain) problem.working = solution(*problem.chain, draw_style(chance, options.workings));
    problems.push_back(std::move(problem));
    fruitless = 0;
  }
  return problems;
}

OrderedJson problem_record(const PracticeProblem& problem, const std::string& id) {
  return {{"id", id},
          {"kind", problem.kind},
          {"level", problem.level},
          {"prompt", problem.question + "\n"},
          {"answer", problem.answer},
          {"completion", problem.working}};
}

}  // namespace agro
