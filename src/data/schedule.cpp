#include "data/schedule.h"

#include "core/error.h"
#include "data/random_order.h"

namespace agro {

PromptSchedule::PromptSchedule(size_t count, uint64_t seed, Stream stream)
    : count_(count), key_{.seed = seed, .stream = stream} {
  if (count == 0) throw fail("a schedule needs at least one prompt");
  order_ = random_order(count_, key_);
}

size_t PromptSchedule::at(uint64_t position) {
  if (epoch(position) != key_.ordinal) {
    key_.ordinal = epoch(position);
    order_ = random_order(count_, key_);
  }
  return order_[position % count_];
}

std::vector<size_t> PromptSchedule::batch(uint64_t position, size_t size) {
  std::vector<size_t> indices(size);
  for (size_t i = 0; i < size; ++i) indices[i] = at(position + i);
  return indices;
}

}  // namespace agro
