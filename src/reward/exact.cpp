#include "reward/exact.h"

#include <algorithm>

#include "core/ascii.h"
#include "reward/excerpt.h"

namespace agro {
namespace {

std::string_view without_margins(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

}  // namespace

Verdict verify_exact(std::string_view gold, std::string_view pred, const VerifyOptions& options) {
  if (options.trim) {
    gold = without_margins(gold);
    pred = without_margins(pred);
  }
  const auto same = [&](char a, char b) { return options.ignore_case ? lower(a) == lower(b) : a == b; };
  if (std::equal(gold.begin(), gold.end(), pred.begin(), pred.end(), same)) return {true, "the texts are equal"};
  return {false, "expected \"" + excerpt(gold) + "\", found \"" + excerpt(pred) + "\""};
}

}  // namespace agro
