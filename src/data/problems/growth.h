#pragma once
// How calculations grow: numbers a person would write, results that stay whole, positive and below a thousand
// (times Chance::widening).
#include "data/problems/chance.h"
#include "data/problems/problem.h"

namespace agro {

constexpr int64_t kLargestResult = 999;

/// A number to add, to take away or to start from; larger at higher levels.
int64_t random_term(Chance& chance, int64_t level);

/// A small factor, 2 to 9, and a larger one.
int64_t small_factor(Chance& chance);
int64_t large_factor(Chance& chance, int64_t level);

/// An operation and number that `value` allows.
struct NextStep {
  char op;
  int64_t number;
};
NextStep random_next(Chance& chance, int64_t level, int64_t value);

}  // namespace agro
