#pragma once
#include "data/problems/chance.h"
#include "data/problems/problem.h"

namespace agro {

/// A bare calculation of `level` steps (1 to 12): "What is (12 + 7) * 3 - 5?"
Problem arithmetic_problem(Chance& chance, int64_t level);

}  // namespace agro
