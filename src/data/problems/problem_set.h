#pragma once
// Sets of practice problems: seeded, graded by level, and split so that no calculation stands on both sides.
#include <string>
#include <vector>

#include "core/json.h"
#include "data/problems/practice_problem.h"
#include "data/problems/solution.h"

namespace agro {

enum class ProblemSplit { kTrain, kSelection, kTest };

/// The kinds there are: "arithmetic", "word", "equation", "fraction", "countdown".
std::vector<std::string> problem_kinds();

/// Decided by a hash of the problem's key alone: of a hundred problems 10 are for testing, 10 for selection, 80 for
/// training, whatever words, names or seed tell them.
ProblemSplit problem_split(const PracticeProblem& problem);

struct WorkingShare {
  SolutionStyle style;
  int64_t share;  // relative to the others, > 0
};

struct ProblemSetOptions {
  std::vector<std::string> kinds = {"arithmetic", "word"};
  int64_t min_level = 1, max_level = 3;
  ProblemSplit split = ProblemSplit::kTrain;
  int64_t count = 1000;
  uint64_t seed = 0;
  std::vector<WorkingShare> workings = {{SolutionStyle::kSteps, 1}};
};

/// `count` problems with different questions, kinds and levels equally often; the working of arithmetic and word
/// problems in one manner, drawn by the shares. Where the numbers of a level are used up, they may be twice as large,
/// and so on; those before stay the same. Throws Error for levels a kind does not have (1 to 12; countdown: 1 to 5).
std::vector<PracticeProblem> make_problems(const ProblemSetOptions& options);

/// {"id", "kind", "level", "prompt", "answer", "completion"}: the prompt is the question and a newline, the completion
/// its working (a prompt file for `agro train`, and with completions for `agro sft`).
OrderedJson problem_record(const PracticeProblem& problem, const std::string& id);

}  // namespace agro
