// agro_bench [operators | end-to-end | shared-prompts] [--benchmark_filter=REGEX …]: without a word, all. Ratios above
// 1: agro is faster.
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <benchmark/benchmark.h>
#include <torch/version.h>

#include <iostream>
#include <string_view>
#include <vector>

#include "bench/end_to_end.h"
#include "bench/operators.h"
#include "bench/shared_prompts.h"
#include "core/error.h"
#include "tensor/machine.h"

namespace {

constexpr int kRounds = 9;

/// "CPU capability usage: AVX512" out of LibTorch's description of itself.
std::string kernels_in_use() {
  const std::string all = at::show_config();
  const size_t begin = all.find("CPU capability usage");
  return begin == std::string::npos ? "kernels unknown" : all.substr(begin, all.find('\n', begin) - begin);
}

int run(int argc, char** argv) {
  std::string_view only;
  if (argc > 1 && argv[1][0] != '-') {
    only = argv[1];
    argv[1] = argv[0];
    --argc, ++argv;
  }
  const auto wanted = [&](std::string_view part) { return only.empty() || only == part; };
  if (!wanted("operators") && !wanted("end-to-end") && !wanted("shared-prompts"))
    throw agro::fail("unknown part '{}': expected operators, end-to-end or shared-prompts", only);
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
  std::cout << fmt::format("LibTorch {}, {}, {} threads\n", TORCH_VERSION, kernels_in_use(), at::get_num_threads())
            << "Medians of interleaved rounds; a ratio above 1 means that agro is faster.\n\n";
  if (wanted("end-to-end"))
    std::cout << "Llama of 0.8M parameters, 64 sequences of 64 tokens\n"
              << agro::compare_end_to_end(kRounds) << std::endl;
  if (wanted("shared-prompts"))
    std::cout << "Groups whose prompt is computed once, beside a prompt for every response\n"
              << agro::compare_shared_prompts(kRounds) << std::endl;
  if (wanted("operators")) std::cout << agro::compare_operators() << std::flush;
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
