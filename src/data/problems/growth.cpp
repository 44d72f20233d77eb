#include "data/problems/growth.h"

#include <algorithm>

namespace agro {

int64_t random_term(Chance& chance, int64_t level) { return chance.number(3, std::min<int64_t>(99, 30 + 15 * level)); }

int64_t small_factor(Chance& chance) { return chance.between(2, 9); }

int64_t large_factor(Chance& chance, int64_t level) { return chance.number(3, std::min<int64_t>(40, 12 + 4 * level)); }

NextStep random_next(Chance& chance, int64_t level, int64_t value) {
  const int64_t kind = chance.between(1, 10);
  const int64_t largest_product = 200 * chance.widening();
  if (kind <= 2 && value * 2 <= largest_product)
    return {'*', chance.between(2, std::min<int64_t>(9, largest_product / std::max<int64_t>(1, value)))};
  if (kind == 3) {
    for (int64_t divisor = chance.between(2, 9); divisor >= 2; --divisor)
      if (value % divisor == 0 && value / divisor >= 2) return {'/', divisor};
  }
  const int64_t term = random_term(chance, level);
  const bool subtract = kind % 2 == 0 || value + term > kLargestResult * chance.widening();
  if (subtract && value >= 4) return {'-', std::min(term, chance.between(2, value - 1))};
  return {'+', term};
}

}  // namespace agro
