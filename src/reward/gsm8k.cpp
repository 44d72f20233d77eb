#include "reward/gsm8k.h"

#include <fmt/format.h>

#include "reward/number.h"

namespace agro {
namespace {

constexpr std::string_view kMark = "####";

/// The number a line begins with.
std::optional<Decimal> leading_number(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  const std::optional<FoundNumber> found = first_number(line, Commas::kIgnored);
  if (!found || line.find_first_not_of(" \t") != found->begin) return {};
  return found->value;
}

std::optional<Decimal> marked_number(std::string_view text) {
  const size_t mark = text.rfind(kMark);
  if (mark == std::string_view::npos) return {};
  return leading_number(text.substr(mark + kMark.size()));
}

}  // namespace

Verdict verify_gsm8k(std::string_view gold, std::string_view pred, const VerifyOptions& options) {
  const bool whole_solution = gold.find(kMark) != std::string_view::npos;
  const std::optional<Decimal> expected = whole_solution ? marked_number(gold) : leading_number(gold);
  if (!expected)
    return {std::nullopt, "the gold answer is neither a solution that ends in \"#### NUMBER\" nor a number"};
  const std::optional<Decimal> found = marked_number(pred);
  if (!found)
    return {false, fmt::format("expected {}, the prediction holds no \"#### NUMBER\"", expected->to_string())};
  return {numbers_agree(*expected, *found, options.tolerance, options.relative_tolerance),
          fmt::format("expected {}, the answer is {}", expected->to_string(), found->to_string())};
}

}  // namespace agro
