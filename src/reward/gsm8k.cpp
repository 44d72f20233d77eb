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

/// The number that a text is, with nothing else in it.
std::optional<Decimal> bare_number(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  const std::optional<FoundNumber> found = first_number(text, Commas::kIgnored);
  if (!found || found->begin != begin || text.find_first_not_of(kSpace, found->end) != std::string_view::npos)
    return {};
  return found->value;
}

}  // namespace

Verdict verify_gsm8k(std::string_view gold, std::string_view pred, const VerifyOptions& options) {
  const bool whole_solution = gold.find(kMark) != std::string_view::npos;
  const std::optional<Decimal> expected = whole_solution ? marked_number(gold) : leading_number(gold);
  if (!expected)
    return {std::nullopt, "the gold answer is neither a solution that ends in \"#### NUMBER\" nor a number"};
  const bool marked = pred.find(kMark) != std::string_view::npos;
  const std::optional<Decimal> found = marked ? marked_number(pred) : bare_number(pred);
  if (!found)
    return {false, fmt::format("expected {}, the prediction holds no \"#### NUMBER\"", expected->to_string())};
  return {numbers_agree(*expected, *found, options.tolerance, options.relative_tolerance),
          fmt::format("expected {}, the answer is {}", expected->to_string(), found->to_string())};
}

}  // namespace agro
