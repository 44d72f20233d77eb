#include <unistd.h>

#include <CLI/CLI.hpp>
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

/// One line on a terminal's standard error that says what is computed, and nothing elsewhere.
class Ticker {
 public:
  Ticker() : shown_(isatty(STDERR_FILENO) == 1) {}
  ~Ticker() { say(""); }
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  void say(const std::string& doing) const {
    if (shown_) std::cerr << "\r\033[K" << doing << std::flush;
  }

 private:
  bool shown_;
};

LabResult computed(Experiment experiment, LabOptions options) {
  const Ticker ticker;
  options.progress = [&ticker](const std::string& doing) { ticker.say(doing); };
  return experiment(options);
}

/// CLI11 takes -1 for an unsigned number, the largest of them.
std::string whole_number(const std::string& text) {
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  return digits ? "" : "must be a whole number that is not negative, found " + text;
}

CLI::App* add_experiment(CLI::App& laboratory, const std::string& name, const std::string& help,
                         const std::shared_ptr<Options>& options, Experiment experiment) {
  CLI::App* command = laboratory.add_subcommand(name, help);
  LabOptions& lab = options->lab;
  command->add_option("--seed", lab.seed, "Of the random problems and of the draws.")
      ->check(whole_number)
      ->capture_default_str();
  command->add_option("--beta", lab.beta, "Of the KL regulariser, in units of reward per nat.")->capture_default_str();
  command->add_option("--csv", options->csv, "Folder for the numbers.");
  command->add_option("--svg", options->svg, "Folder for the figures.");
  command->callback([options, experiment] {
    check(options->lab);
    prepare_folder(options->csv);
    prepare_folder(options->svg);
    const LabResult result = computed(experiment, options->lab);
    std::cout << result.text << std::flush;
    write_result(result, options->csv, options->svg);
  });
  return command;
}

void add_count(CLI::App* command, const std::string& name, size_t& value, const std::string& help) {
  command->add_option(name, value, help)->check(whole_number)->capture_default_str();
}

void add_objectives(CLI::App* command, LabOptions& lab, const std::string& unless) {
  command
      ->add_option("--objectives", lab.objectives,
                   "What to compare, as objective.name in the configuration, separated by commas; without it " + unless)
      ->delimiter(',');
}

/// CLI11 would say only that an argument was not expected.
std::string complaint(const CLI::App* laboratory) {
  std::string known;
  for (const CLI::App* command : laboratory->get_subcommands({}))
    known += (known.empty() ? "" : ", ") + command->get_name();
  const std::vector<std::string> rest = laboratory->remaining();
  if (rest.empty()) return "an experiment is required; known are " + known;
  return "unknown experiment '" + rest.front() + "'; known are " + known;
}

}  // namespace

void add_lab(CLI::App& program) {
  CLI::App* laboratory =
      program.add_subcommand("lab", "Exact experiments on problems small enough to sum over.")->group("Research");
  laboratory->footer(
      R"(Random problems: rewards uniform in [0, 1), reference the softmax of normals; equal seeds give equal output.
docs/theory.md says what the figures show. agro lab EXPERIMENT --help lists its options.

Examples:
  agro lab fixed-point
  agro lab fixed-point --beta 0.1 --csv numbers --svg figures)");
  const auto options = std::make_shared<Options>();
  LabOptions& lab = options->lab;
  const auto add = [&](const char* name, const char* help, Experiment experiment) {
    return add_experiment(*laboratory, name, help, options, experiment);
  };
  CLI::App* fixed_point = add("fixed-point", "Where AGRO and others end, whatever the data.", fixed_point_experiment);
  CLI::App* gradient = add("gradient", "Bias and variance of the gradients as groups grow.", gradient_experiment);
  CLI::App* sequence = add("sequence", "Credit for sequences and for tokens.", sequence_experiment);
  CLI::App* selection = add("selection", "Where the optimum moves when groups are selected.", selection_experiment);
  CLI::App* gap = add("gap", "The estimated optimality gap against the true one.", gap_experiment);
  add("leak", "What the loss cannot see on stored responses.", leak_experiment);
  for (CLI::App* command : {fixed_point, gradient, sequence, selection, gap})
    add_count(command, "--instances", lab.instances, "Random problems.");
  add_count(fixed_point, "--group-size", lab.group_size, "Responses drawn for a prompt.");
  add_count(fixed_point, "--steps", lab.steps, "Of sampled descent.");
  fixed_point->add_option("--learning-rate", lab.learning_rate, "Of sampled descent.")->capture_default_str();
  add_objectives(fixed_point, lab, "all of them.");
  add_objectives(gradient, lab, "a few that represent the others.");
  laboratory->allow_extras();
  laboratory->callback([laboratory] {
    if (laboratory->get_subcommands().empty())
      throw CLI::ValidationError(complaint(laboratory), CLI::ExitCodes::ExtrasError);
  });
}

}  // namespace agro
