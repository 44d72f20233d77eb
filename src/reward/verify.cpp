#include "reward/verify.h"

#include <fmt/ranges.h>

#include <array>

#include "core/error.h"
#include "core/words.h"
#include "reward/countdown.h"
#include "reward/exact.h"
#include "reward/gsm8k.h"
#include "reward/last_number.h"
#include "reward/math/hendrycks.h"
#include "reward/math/policies.h"

namespace agro {
namespace {

struct Row {
  std::string_view name;
  Verifier verifier;
};

constexpr std::array kVerifiers = {
    Row{"exact", verify_exact},         Row{"last_number", verify_last_number}, Row{"gsm8k", verify_gsm8k},
    Row{"strict", verify_strict},       Row{"lenient", verify_lenient},         Row{"math_verify", verify_math_verify},
    Row{"hendrycks", verify_hendrycks}, Row{"countdown", verify_countdown},
};

}  // namespace

std::vector<std::string> verifier_names() {
  std::vector<std::string> names;
  for (const Row& row : kVerifiers) names.emplace_back(row.name);
  return names;
}

Verifier find_verifier(std::string_view name) {
  for (const Row& row : kVerifiers)
    if (row.name == name) return row.verifier;
  const std::vector<std::string> names = verifier_names();
  Error error = fail("unknown policy '{}', known are {}", name, fmt::join(names, ", "));
  if (const std::string near = nearest_word(name, names); !near.empty())
    error.hint(fmt::format("did you mean '{}'?", near));
  throw error;
}

Verdict verify(std::string_view policy, std::string_view gold, std::string_view pred, const VerifyOptions& options) {
  return find_verifier(policy)(gold, pred, options);
}

}  // namespace agro
