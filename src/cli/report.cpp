#include <CLI/App.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <set>

#include "cli/commands.h"
#include "core/error.h"
#include "report/csv_export.h"
#include "report/html_report.h"
#include "report/page_data.h"
#include "report/summary.h"
#include "report/svg_export.h"

namespace agro {
namespace {

struct Options {
  std::vector<std::string> runs;
  std::string output, csv, svg;
  int64_t examples = 0;
  size_t max_prompts = PageOptions().max_groups;
  double smoothing = 0.9;
};

Path common_parent(const std::vector<Path>& folders) {
  Path common = folders[0].parent_path();
  for (const Path& folder : folders) {
    const Path parent = folder.parent_path();
    const auto differ = std::mismatch(common.begin(), common.end(), parent.begin(), parent.end()).first;
    Path shared;
    for (auto part = common.begin(); part != differ; ++part) shared /= *part;
    common = shared;
  }
  return common;
}

/// The runs in the order given; those whose folders have the same name are told apart by their paths.
std::vector<RunData> read_runs(const std::vector<Path>& folders) {
  std::vector<RunData> runs;
  std::set<std::string> names;
  for (const Path& folder : folders) names.insert(runs.emplace_back(read_run(folder)).name);
  if (names.size() < runs.size()) {
    const Path parent = common_parent(folders);
    for (size_t i = 0; i < runs.size(); ++i) runs[i].name = folders[i].lexically_relative(parent).string();
  }
  return runs;
}

void run(const Options& options) {
  std::vector<Path> folders;
  for (const std::string& text : options.runs) {
    // A folder given twice, or with a slash at its end, is one run.
    Path folder = std::filesystem::weakly_canonical(text);
    if (std::find(folders.begin(), folders.end(), folder) == folders.end()) folders.push_back(std::move(folder));
  }
  const std::vector<RunData> runs = read_runs(folders);
  const Path page = !options.output.empty() ? Path(options.output)
                    : runs.size() == 1
                        ? Path(options.runs[0]) / "report.html"
                        : common_parent(folders).lexically_proximate(std::filesystem::current_path()) / "report.html";
  write_atomically(page, report_page(page_data(runs, {.max_groups = options.max_prompts})));
  if (!options.csv.empty()) export_csv(runs, options.csv);
  if (!options.svg.empty()) export_svg(runs, options.svg, options.smoothing);
  std::cout << summary_table(runs);
  const std::string examples = before_and_after(runs, options.examples);
  if (!examples.empty()) std::cout << '\n' << examples;
  std::cout << "\nreport: " << page.lexically_normal().string() << std::endl;
}

}  // namespace

void add_report(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("report", "Show runs as one page: curves, figures, responses.")->group("Runs");
  const auto options = std::make_shared<Options>();
  command->add_option("RUN", options->runs, "Run directories; several are drawn over one another.")->required();
  command->add_option("-o,--output", options->output,
                      "The page; default: report.html in the run, or in the folder that holds all runs.");
  command->add_option("--csv", options->csv, "Folder for the figures as CSV tables.");
  command->add_option("--svg", options->svg, "Folder for the curves as SVG drawings.");
  command->add_option("--smoothing", options->smoothing, "Of the training curves under --svg: 0 (none) to below 1.")
      ->check(CLI::Range(0.0, 0.999))
      ->capture_default_str();
  command->add_option("--max-prompts", options->max_prompts, "Prompts whose responses are shown, of each step.")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  command
      ->add_option("--examples", options->examples,
                   "Also print so many prompts that the first run gets wrong and most of the others right.")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  command->footer(R"(The page is a single file that needs no network: open it in any browser, send it to anyone.
Runs that differ only in run.seed are drawn as their mean, with a band from the lowest to the highest.

Examples:
  agro report runs/demo
  agro report runs/fresh-0 runs/fresh-1 runs/mixed-0 -o comparison.html
  agro report runs/fresh-0 --csv tables --svg figures)");
  command->callback([options] { run(*options); });
}

}  // namespace agro
