#include <fmt/ranges.h>

#include <CLI/App.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/config_options.h"
#include "cli/json_lines.h"
#include "objective/registry.h"
#include "objective/window.h"

namespace agro {
namespace {

/// The one section of a training configuration that matters here, so that keys read as in a file.
struct Settings {
  ObjectiveConfig objective;
  void visit(ConfigVisitor& v) { v.section("objective", objective, "The loss."); }
};

struct Options {
  std::string name;
  std::vector<std::string> overrides;
};

std::unique_ptr<Objective> objective_of(const Options& options) {
  Settings settings;
  load_config(settings, "", options.overrides);
  settings.objective.name = options.name;
  return make_objective(settings.objective);
}

}  // namespace

void add_objective(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("objective", "Loss and gradient of an objective.")->group("Windows for scripts");
  const auto options = std::make_shared<Options>();
  command->add_option("NAME", options->name, fmt::format("One of {}.", fmt::join(objective_names(), ", ")))->required();
  add_set_option(*command, options->overrides, "A key as in the configuration: objective.beta=0.01.");
  command->footer(R"(JSON lines on standard input, one answer each on standard output, in double precision:
  {"rewards": [...], "groups": [...], "logprobs", "ref_logprobs", "behavior_logprobs"?, "values"?,
   "old_values"?, "pairs"?: [[chosen row, rejected row], ...], "optimal_values"?: one per group}
    -> {"loss", "grad": d loss / d logprobs, "grad_values"?, "metrics"}
A row is one response; groups says which prompt it answers. Log-probabilities and values are one list
of token numbers per row, or one number per row. An objective says which of the optional keys it needs.

Example:
  echo '{"rewards": [1, 0], "groups": [0, 0], "logprobs": [-1.2, -0.4], "ref_logprobs": [-1, -0.5]}' |
    agro objective agro --set objective.beta=0.5)");
  command->callback([options] {
    const std::unique_ptr<Objective> objective = objective_of(*options);
    answer_lines([&](const OrderedJson& record, int64_t) { return evaluate_record(*objective, Json(record)); });
  });
}

}  // namespace agro
