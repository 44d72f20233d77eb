#pragma once
#include "data/problems/chance.h"
#include "data/problems/practice_problem.h"

namespace agro {

constexpr int64_t kCountdownLevels = 5;

/// Numbers and a target that takes exactly `level` operations (1 to 5) on level + 1 numbers: the solver has shown that
/// fewer do not do. The answer "128 from 3, 7, 25, 50" is what the verifier "countdown" compares an expression with.
PracticeProblem countdown_problem(Chance& chance, int64_t level);

}  // namespace agro
