#include <CLI/App.hpp>
#include <iostream>
#include <memory>

#include "bench/end_to_end/blas.h"
#include "bench/end_to_end/report.h"
#include "cli/commands.h"
#include "core/error.h"
#include "core/log.h"
#include "tensor/machine.h"

namespace agro {
namespace {

struct Options {
  std::vector<std::string> names;
  int rounds = 0;
  int64_t threads = 0;
  std::string blas = "best";
  bool json = false, markdown = false, probe_blas = false;
};

/// The clone that the program was built in, or that it is run from: the folder above either that has the model.
Path find_repository() {
  std::error_code ignored;
  for (Path start :
       {std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path(), std::filesystem::current_path(ignored)})
    for (Path folder = std::move(start); !folder.empty(); folder = folder.parent_path()) {
      if (std::filesystem::exists(folder / "models/wordmath/config.json", ignored)) return folder;
      if (folder == folder.root_path()) break;
    }
  return {};
}

bool is_wanted(const Options& options, const Bench& bench) {
  return options.names.empty() ||
         std::find(options.names.begin(), options.names.end(), bench.name) != options.names.end();
}

void run_benches(const Options& options) {
  if (!blas_is_settled()) log_info("bench", "trying the reference's BLAS kernels, then measuring the machine");
  const std::string how = settle_blas(options.blas, options.threads);
  set_up_machine(options.threads);
  const MachineFacts facts = read_machine();
  BenchRun run{.rates = measure_machine(facts), .repository = find_repository()};
  const std::string blas = fmt::format("{}, {} kernels, {}", facts.blas_library, facts.blas_kernels, how);
  const Layout layout = options.markdown ? Layout::kMarkdown : Layout::kScreen;
  if (options.json)
    std::cout << to_line(OrderedJson{{"kind", "machine"},
                                     {"facts", to_json(facts)},
                                     {"measured", to_json(run.rates)},
                                     {"reference_blas", blas}})
              << std::endl;
  else
    std::cout << machine_text(facts, run.rates, blas, layout) << std::flush;
  set_quiet(true);
  for (const Bench& bench : all_benches()) {
    if (!is_wanted(options, bench)) continue;
    run.rounds = options.rounds > 0 ? options.rounds : bench.rounds;
    BenchResult result;
    try {
      result = bench.run(run);
    } catch (Error& error) {
      throw std::move(error).at(bench.name);
    }
    if (!options.json) {
      std::cout << result_text(bench, result, layout) << std::flush;
      continue;
    }
    for (const OrderedJson& record : result_json(bench, result)) std::cout << to_line(record) << std::endl;
  }
}

std::vector<std::string> bench_names() {
  std::vector<std::string> names;
  for (const Bench& bench : all_benches()) names.emplace_back(bench.name);
  return names;
}

std::string footer() {
  std::string text = "Benches:\n";
  for (const Bench& bench : all_benches()) text += fmt::format("  {:<16}{}\n", bench.name, bench.what);
  return text + R"(
Both sides of a line are measured in the same run, in turns; before that, each bench checks that they compute the same.
Ratio: of the medians; min – max: of single rounds. Limits are what this machine was measured to do, without the benches'
help (agro inspect --machine). docs/performance.md says what each line is. All of them take about ten minutes.

Examples:
  agro bench
  agro bench training sampling --rounds 15
  agro bench rl-step --json)";
}

}  // namespace

void add_bench(CLI::App& program) {
  CLI::App* command = program.add_subcommand("bench", "Speed beside plain LibTorch and beside the machine's limits.")
                          ->group("Models and data");
  const auto options = std::make_shared<Options>();
  command->add_option("NAMES", options->names, "Benches to run; without a name, all.")
      ->check(CLI::IsMember(bench_names()));
  command->add_option("--rounds", options->rounds, "Measured rounds of each line; 0: the bench's own number.")
      ->check(CLI::Range(0, 1000));
  command->add_option("--threads", options->threads, "Worker threads; 0: one per CPU this process may use.")
      ->check(CLI::Range(0, 4096));
  command
      ->add_option("--blas", options->blas,
                   "Kernels of the reference's OpenBLAS: best (tries all), own (its own choice), or a name as "
                   "SkylakeX.")
      ->capture_default_str();
  auto* json = command->add_flag("--json", options->json, "One JSON object a line.");
  command->add_flag("--markdown", options->markdown, "Tables in Markdown.")->excludes(json);
  command->add_flag("--probe-blas", options->probe_blas)->group("");
  command->footer(footer());
  command->callback([options] {
    if (!options->probe_blas) return run_benches(*options);
    set_up_machine(options->threads);
    std::cout << blas_probe_line() << std::endl;
  });
}

}  // namespace agro
