#include "reward/verify.h"

#include <fmt/ranges.h>

#include <CLI/App.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/config_options.h"
#include "cli/json_lines.h"
#include "core/error.h"
#include "data/fields.h"
#include "reward/config.h"

namespace agro {
namespace {

struct Options {
  std::string policy;
  RewardConfig settings;
};

OrderedJson answer(const Json& record, Verifier verifier, const VerifyOptions& options) {
  const auto gold = detail::text_field(record, "gold"), pred = detail::text_field(record, "pred");
  if (!gold || !record.contains("pred")) throw Error("expected \"gold\" and \"pred\"");
  const Verdict verdict = verifier(*gold, pred.value_or(""), options);  // null: there was no prediction
  OrderedJson result;
  result["equal"] = verdict.equal ? OrderedJson(*verdict.equal) : OrderedJson(nullptr);
  result["why"] = verdict.why;
  return result;
}

}  // namespace

void add_verify(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("verify", "Compare predictions with gold answers.")->group("Windows for scripts");
  const auto options = std::make_shared<Options>();
  command
      ->add_option("--policy", options->policy, fmt::format("How to compare: {}.", fmt::join(verifier_names(), ", ")))
      ->type_name("NAME")
      ->required();
  add_config_options(*command, options->settings, {"tolerance", "relative_tolerance", "trim", "ignore_case"});
  command->footer(R"(JSON lines on standard input, one answer each on standard output:
  {"gold", "pred"} -> {"equal": true | false | null, "why"}

null: the gold answer cannot be read, or (strict, lenient) neither equality nor difference can be proved.

Policies:
  exact         the texts are the same
  last_number   their last numbers are the same
  gsm8k         the numbers after their last "####" are the same
  strict        the answers (in \boxed{}, after "####" or "the answer is") are equal as formulas, sets, intervals,
                matrices, equations, words; the same units, lists in the same order
  lenient       as strict; the answer may stand anywhere, and notation, missing units, order of lists are forgiven
  math_verify   the conventions of Math-Verify
  hendrycks     the string normalisation published with the MATH data set

Examples:
  echo '{"gold": "1,000", "pred": "It is 1000."}' | agro verify --policy last_number
  echo '{"gold": "\\frac{1}{2}", "pred": "so \\boxed{0.5}"}' | agro verify --policy strict)");
  command->callback([options] {
    const Verifier verifier = find_verifier(options->policy);
    answer_lines(
        [&](const OrderedJson& record, int64_t) { return answer(Json(record), verifier, options->settings.options); });
  });
}

}  // namespace agro
