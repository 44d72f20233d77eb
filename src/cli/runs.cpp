#include <CLI/App.hpp>
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "report/run_list.h"

namespace agro {
namespace {

struct Options {
  std::string folder = "runs";
  bool json = false;
};

void run(const Options& options) {
  const std::vector<RunSummary> runs = list_runs(options.folder);
  if (options.json) {
    for (const RunSummary& run : runs) std::cout << to_line(to_json(run)) << '\n';
  } else if (runs.empty()) {
    std::cout << "There are no runs below " << options.folder << ".\n";
  } else {
    std::cout << run_table(runs, std::chrono::system_clock::now());
  }
  std::cout << std::flush;
}

}  // namespace

void add_runs(CLI::App& program) {
  CLI::App* command = program.add_subcommand("runs", "List the runs below a folder, newest first.")->group("Runs");
  const auto options = std::make_shared<Options>();
  command->add_option("FOLDER", options->folder, "Where to look, at most four levels deep.")->capture_default_str();
  command->add_flag("--json", options->json, "One JSON object per run and line instead of the table.");
  command->footer(
      R"(Accuracies are the best of the run's evaluations, @ with their step; reward is that of the last step; time is that
spent in steps and evaluations.

Examples:
  agro runs
  agro runs runs/study --json)");
  command->callback([options] { run(*options); });
}

}  // namespace agro
