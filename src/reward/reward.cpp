#include "reward/reward.h"

#include <fmt/format.h>

#include "reward/excerpt.h"

namespace agro {

std::string describe(const RewardQuery& query) {
  if (query.record != nullptr && query.record->is_object())
    if (const auto id = query.record->find("id"); id != query.record->end() && id->is_primitive())
      return "prompt id " + excerpt(to_line(*id));
  return fmt::format("prompt \"{}\"", excerpt(query.prompt));
}

}  // namespace agro
