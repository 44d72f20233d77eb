#include "bench/end_to_end/blas.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <vector>

#include "bench/end_to_end/measure.h"
#include "core/system.h"
#include "tensor/machine_report.h"
#include "tensor/torch_compat.h"

namespace agro {
namespace {

constexpr const char* kKernels = "OPENBLAS_CORETYPE";
constexpr const char* kSettled = "AGRO_BENCH_BLAS";  // set by the first process for the second: what was tried
constexpr const char* kProgram = "/proc/self/exe";

/// Whatever could make the reference slower than it need be.
constexpr std::array kHandicaps = {"ATEN_CPU_CAPABILITY", "OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS",
                                   "OMP_NUM_THREADS",     "OMP_PROC_BIND",        "OMP_PLACES",
                                   "OMP_THREAD_LIMIT",    "ONEDNN_MAX_CPU_ISA",   "DNNL_MAX_CPU_ISA"};

bool is_openblas() { return ::dlsym(RTLD_DEFAULT, "openblas_get_corename") != nullptr; }

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (std::string& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

void set_kernels(const std::string& kernels) {
  if (kernels.empty())
    ::unsetenv(kKernels);
  else
    ::setenv(kKernels, kernels.c_str(), 1);
}

/// Standard output of the program with these arguments, or nothing where it failed: kernels may need instructions that
/// the CPU lacks.
std::optional<std::string> output_of(std::vector<std::string> arguments) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw Error("cannot make a pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int refused = ::posix_spawn(&child, kProgram, &actions, nullptr, pointers(arguments).data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  std::string text;
  std::array<char, 256> buffer{};
  for (ssize_t n = 0; refused == 0 && (n = ::read(pipe[0], buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<size_t>(n));
  ::close(pipe[0]);
  int status = 0;
  if (refused != 0 || ::waitpid(child, &status, 0) != child || status != 0) return std::nullopt;
  return text;
}

struct Tried {
  std::string setting;  // of OPENBLAS_CORETYPE; empty: OpenBLAS's own choice
  std::string kernels;  // what OpenBLAS says it uses
  double gflops = 0;
};

/// Every setting twice, in turns; the better time counts.
std::vector<Tried> try_all(int64_t threads) {
  std::vector<Tried> tried = {{"", "", 0}, {"Haswell", "", 0}};
  if (has(read_system(), InstructionSet::kAvx512))
    for (const char* name : {"SkylakeX", "Cooperlake", "SapphireRapids"}) tried.push_back({name, "", 0});
  for (int round = 0; round < 2; ++round) {
    for (Tried& t : tried) {
      set_kernels(t.setting);
      const auto text = output_of({"agro", "bench", "--probe-blas", "--threads", std::to_string(threads)});
      if (!text) continue;
      double gflops = 0;
      std::istringstream(*text) >> gflops >> t.kernels;
      t.gflops = std::max(t.gflops, gflops);
    }
  }
  std::erase_if(tried, [](const Tried& t) { return t.gflops == 0; });
  if (tried.empty()) throw Error("no OpenBLAS kernels work on this machine");
  std::stable_sort(tried.begin(), tried.end(), [](const Tried& a, const Tried& b) { return a.gflops > b.gflops; });
  return tried;
}

/// "fastest of SkylakeX 331, Haswell 180, Prescott 92 (its own choice) GFLOP/s"; settings that end in the same kernels
/// are one.
std::string description(const std::vector<Tried>& tried) {
  std::string text;
  std::set<std::string> named;
  const auto own = std::find_if(tried.begin(), tried.end(), [](const Tried& t) { return t.setting.empty(); });
  for (const Tried& t : tried)
    if (named.insert(t.kernels).second)
      text += fmt::format("{}{} {:.0f}{}", text.empty() ? "" : ", ", t.kernels, t.gflops,
                          own != tried.end() && own->kernels == t.kernels ? " (its own choice)" : "");
  return "fastest of " + text + " GFLOP/s";
}

[[noreturn]] void restart() {
  std::vector<std::string> arguments;
  std::ifstream line("/proc/self/cmdline");
  for (std::string word; std::getline(line, word, '\0');) arguments.push_back(word);
  ::execv(kProgram, pointers(arguments).data());
  throw Error("cannot start the program again");
}

}  // namespace

double blas_gflops() {
  const torch::NoGradGuard no_grad;
  double logarithms = 0;
  // Training and decoding of widths 128 and 576.
  constexpr std::array<std::array<int64_t, 3>, 5> kShapes = {
      {{4096, 128, 128}, {4096, 344, 128}, {512, 1536, 576}, {64, 576, 576}, {32, 1536, 576}}};
  for (const auto& [m, n, k] : kShapes) {
    const Tensor x = torch::ones({m, k}), w = torch::ones({n, k});
    const double operations = 2 * static_cast<double>(m * n * k);
    double best = 1e9, total = 0;
    while (total < 0.05) {
      const double seconds = seconds_of([&] { at::linear(x, w); });
      best = std::min(best, seconds), total += seconds;
    }
    logarithms += std::log(operations / best / 1e9);
  }
  return std::exp(logarithms / static_cast<double>(kShapes.size()));
}

std::string blas_probe_line() { return fmt::format("{} {}", blas_gflops(), read_machine().blas_kernels); }

bool blas_is_settled() { return std::getenv(kSettled) != nullptr; }

std::string settle_blas(const std::string& wanted, int64_t threads) {
  if (const char* settled = std::getenv(kSettled)) return settled;
  for (const char* name : kHandicaps) ::unsetenv(name);
  if (!is_openblas()) return "not OpenBLAS: no kernels to choose from";
  std::string chosen = wanted == "own" ? "" : wanted, said = "as asked";
  if (wanted == "best") {
    const std::vector<Tried> tried = try_all(threads);
    chosen = tried.front().setting, said = description(tried);
  }
  set_kernels(chosen);
  ::setenv(kSettled, said.c_str(), 1);
  restart();
}

}  // namespace agro
