// agro_bench [--benchmark_filter=REGEX …]: single operators beside plain LibTorch. Ratios above 1: agro is faster.
// Whole steps are in `agro bench`.
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <torch/version.h>

#include <iostream>
#include <vector>

#include "bench/operators.h"
#include "core/error.h"
#include "tensor/machine.h"
#include "tensor/machine_report.h"

namespace {

int run(int argc, char** argv) {
  // Repetitions of all operators in random order; an option of the command line comes later and wins.
  std::vector<std::string> options{argv[0], "--benchmark_repetitions=9", "--benchmark_min_time=0.02",
                                   "--benchmark_enable_random_interleaving=true"};
  options.insert(options.end(), argv + 1, argv + argc);
  std::vector<char*> arguments;
  for (std::string& option : options) arguments.push_back(option.data());
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;

  agro::set_up_machine(0);
  const agro::MachineFacts facts = agro::read_machine();
  std::cout << fmt::format("LibTorch {} with {}, BLAS kernels {}, {} threads\n", TORCH_VERSION, facts.aten_capability,
                           facts.blas_kernels, at::get_num_threads())
            << "Medians of interleaved rounds; a ratio above 1 means that agro is faster.\n\n"
            << agro::compare_operators() << std::flush;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "agro_bench: error: " << error.what() << std::endl;
    return 1;
  }
}
