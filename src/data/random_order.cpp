#include "data/random_order.h"

#include <limits>
#include <numeric>
#include <utility>

#include "core/error.h"

namespace agro {

std::vector<size_t> random_order(size_t count, DrawKey key) {
  if (count > std::numeric_limits<uint32_t>::max()) throw fail("cannot order {} items: at most 2^32 - 1", count);
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t i = count; i > 1; --i) {
    key.position = static_cast<uint32_t>(i - 1);
    std::swap(order[i - 1], order[uniform_below(key, i)]);
  }
  return order;
}

}  // namespace agro
