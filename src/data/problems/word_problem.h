#pragma once
#include "data/problems/chance.h"
#include "data/problems/problem.h"

namespace agro {

/// A short story whose question takes `level` steps (1 to 12) to answer.
Problem word_problem(Chance& chance, int64_t level);

}  // namespace agro
