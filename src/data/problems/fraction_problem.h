#pragma once
#include "data/problems/chance.h"
#include "data/problems/practice_problem.h"

namespace agro {

/// A calculation with `level` operations (1 to 12) on fractions: "What is (1/2 + 3/4) * 2/3?" The answer is a fraction
/// in lowest terms or a whole number, and positive.
PracticeProblem fraction_problem(Chance& chance, int64_t level);

}  // namespace agro
