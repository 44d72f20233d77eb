#include <CLI/App.hpp>
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "lab/laboratory.h"

namespace agro {
namespace {

struct Options {
  LabOptions lab;
  std::string csv, svg;
};

using Experiment = LabResult (*)(const LabOptions&);

CLI::App* add_experiment(CLI::App& laboratory, const std::string& name, const std::string& help,
                         const std::shared_ptr<Options>& options, Experiment experiment) {
  CLI::App* command = laboratory.add_subcommand(name, help);
  LabOptions& lab = options->lab;
  command->add_option("--seed", lab.seed, "Of the random problems and of the draws.")->capture_default_str();
  command->add_option("--beta", lab.beta, "Of the KL regulariser, in units of reward per nat.")->capture_default_str();
  command->add_option("--instances", lab.instances, "Random problems.")->capture_default_str();
  command->add_option("--csv", options->csv, "Folder for the numbers.");
  command->add_option("--svg", options->svg, "Folder for the figures.");
  command->callback([options, experiment] {
    const LabResult result = experiment(options->lab);
    std::cout << result.text << std::flush;
    write_result(result, options->csv, options->svg);
  });
  return command;
}

void add_sampling_options(CLI::App* command, LabOptions& lab) {
  command->add_option("--group-size", lab.group_size, "Responses drawn for a prompt.")->capture_default_str();
  command
      ->add_option("--objectives", lab.objectives,
                   "What to compare, as objective.name in the configuration; all but those that need pairs or values.")
      ->delimiter(',');
}

}  // namespace

void add_lab(CLI::App& program) {
  CLI::App* laboratory =
      program.add_subcommand("lab", "Exact experiments on problems small enough to sum over.")->group("Research");
  laboratory->require_subcommand(1);
  laboratory->footer(
      R"(Random problems: rewards uniform in [0, 1), reference the softmax of normals; equal seeds give equal output.
docs/theory.md says what the figures show.

Examples:
  agro lab fixed-point
  agro lab fixed-point --beta 0.1 --csv numbers --svg figures)");
  const auto options = std::make_shared<Options>();
  LabOptions& lab = options->lab;
  CLI::App* command = add_experiment(*laboratory, "fixed-point", "Where AGRO and others end, whatever the data.",
                                     options, fixed_point_experiment);
  add_sampling_options(command, lab);
  command->add_option("--steps", lab.steps, "Of sampled descent.")->capture_default_str();
  command->add_option("--learning-rate", lab.learning_rate, "Of sampled descent.")->capture_default_str();
  command = add_experiment(*laboratory, "gradient", "Bias and variance of the gradients as groups grow.", options,
                           gradient_experiment);
  add_sampling_options(command, lab);
  add_experiment(*laboratory, "sequence", "Credit for sequences and for tokens.", options, sequence_experiment);
  add_experiment(*laboratory, "selection", "Where the optimum moves when groups are selected.", options,
                 selection_experiment);
  add_experiment(*laboratory, "gap", "The estimated optimality gap against the true one.", options, gap_experiment);
  add_experiment(*laboratory, "leak", "What the loss cannot see on stored responses.", options, leak_experiment);
}

}  // namespace agro
