#include "reward/last_number.h"

#include <fmt/format.h>

#include "reward/number.h"

namespace agro {

Verdict verify_last_number(std::string_view gold, std::string_view pred, const VerifyOptions& options) {
  const std::optional<Decimal> expected = last_number(gold);
  if (!expected) return {std::nullopt, "the gold answer holds no number"};
  const std::optional<Decimal> found = last_number(pred);
  if (!found) return {false, fmt::format("expected {}, the prediction holds no number", expected->to_string())};
  return {numbers_agree(*expected, *found, options.tolerance, options.relative_tolerance),
          fmt::format("expected {}, the last number is {}", expected->to_string(), found->to_string())};
}

}  // namespace agro
