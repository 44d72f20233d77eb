#pragma once
#include "data/problems/chance.h"
#include "data/problems/practice_problem.h"

namespace agro {

/// A linear equation in x that takes `level` moves (1 to 12) to solve: "Solve for x: 3(x + 4) - 5 = 22". From level 4
/// on the solution may be a fraction; its text is in lowest terms.
PracticeProblem equation_problem(Chance& chance, int64_t level);

}  // namespace agro
