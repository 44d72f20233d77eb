#include "tensor/machine_report.h"

#include <ATen/Version.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/parallel.h"
#include "tensor/machine.h"
#include "tensor/machine_probe_cpu.h"

namespace agro {
namespace {

/// "AVX512" out of LibTorch's description of itself, which is its only way to say so in version 1.13.
std::string aten_capability() {
  constexpr std::string_view kKey = "CPU capability usage: ";
  const std::string all = at::show_config();
  const size_t begin = all.find(kKey);
  if (begin == std::string::npos) return "unknown";
  return all.substr(begin + kKey.size(), all.find('\n', begin) - begin - kKey.size());
}

/// Which BLAS it is decides the system's linker: only the running process knows.
void read_blas(MachineFacts& facts) {
  facts.blas_library = facts.blas_kernels = "unknown";
  Dl_info info{};
  if (void* product = ::dlsym(RTLD_DEFAULT, "sgemm_"); product != nullptr && ::dladdr(product, &info) != 0) {
    std::error_code ignored;
    const Path file = std::filesystem::canonical(info.dli_fname, ignored);
    facts.blas_library = ignored ? info.dli_fname : file.string();
  }
  if (void* name = ::dlsym(RTLD_DEFAULT, "openblas_get_corename"))
    facts.blas_kernels = reinterpret_cast<const char* (*)()>(name)();
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  const auto same = [](char a, char b) { return std::tolower(a) == std::tolower(b); };
  return std::any_of(words.begin(), words.end(), [&](std::string_view other) {
    return std::equal(word.begin(), word.end(), other.begin(), other.end(), same);
  });
}

/// OpenBLAS chooses its kernels by the CPU's model number, and takes old ones for a model it does not know.
bool blas_kernels_are_poor(const MachineFacts& facts) {
  if (facts.blas_kernels == "unknown") return false;
  const bool with_avx512 = is_one_of(facts.blas_kernels, {"SkylakeX", "Cooperlake", "SapphireRapids"});
  const bool with_avx2 = with_avx512 || is_one_of(facts.blas_kernels, {"Haswell", "Zen"});
  return has(facts.system, InstructionSet::kAvx512) ? !with_avx512
                                                    : has(facts.system, InstructionSet::kAvx2) && !with_avx2;
}

/// Debian's plain translation of the Fortran reference.
bool is_reference_blas(const Path& library) { return library.parent_path().filename() == "blas"; }

}  // namespace

std::string_view name_of(InstructionSet set) {
  switch (set) {
    case InstructionSet::kAvx2:
      return "AVX2";
    case InstructionSet::kAvx512:
      return "AVX-512";
    case InstructionSet::kAvx512Bf16:
      return "AVX-512-BF16";
    case InstructionSet::kAmxBf16:
      return "AMX-BF16";
  }
  return "unknown";
}

bool has(const SystemFacts& system, InstructionSet set) {
  const auto all = [&](std::initializer_list<const char*> flags) {
    return std::all_of(flags.begin(), flags.end(), [&](const char* flag) { return system.cpu_flags.contains(flag); });
  };
  switch (set) {
    case InstructionSet::kAvx2:
      return all({"avx2", "fma"});
    case InstructionSet::kAvx512:
      return all({"avx512f", "avx512bw", "avx512dq", "avx512vl"});
    case InstructionSet::kAvx512Bf16:
      return all({"avx512f", "avx512_bf16"});
    case InstructionSet::kAmxBf16:
      return all({"amx_tile", "amx_bf16"});
  }
  return false;
}

MachineFacts read_machine() {
  MachineFacts facts;
  facts.system = read_system();
  facts.cpus = cpu_count();
  facts.threads = thread_count();
  facts.pinned = workers_are_pinned();
  facts.kernel_target = kernel_target();
  facts.aten_capability = aten_capability();
  read_blas(facts);
  return facts;
}

std::vector<MachineWarning> warnings_of(const MachineFacts& facts) {
  std::vector<MachineWarning> warnings;
  const auto warn = [&](std::string what, std::string hint) { warnings.push_back({std::move(what), std::move(hint)}); };
  if (is_reference_blas(facts.blas_library))
    warn(fmt::format("LibTorch's matrix products come from the reference BLAS ({})", facts.blas_library),
         "install libopenblas0-openmp");
  if (blas_kernels_are_poor(facts))
    warn(fmt::format(
             "OpenBLAS uses its {} kernels on a CPU with {}", facts.blas_kernels,
             name_of(has(facts.system, InstructionSet::kAvx512) ? InstructionSet::kAvx512 : InstructionSet::kAvx2)),
         fmt::format("export OPENBLAS_CORETYPE={}",
                     has(facts.system, InstructionSet::kAvx512) ? "SkylakeX" : "Haswell"));
  if (has(facts.system, InstructionSet::kAvx512) && !facts.aten_capability.starts_with("AVX512"))
    warn(fmt::format("the CPU has AVX-512, LibTorch uses {}", facts.aten_capability),
         "unset ATEN_CPU_CAPABILITY, or set it to avx512");
  if (facts.threads < facts.cpus)
    warn(fmt::format("{} of {} CPUs are used", facts.threads, facts.cpus), "leave --threads and run.threads at 0");
  if (facts.threads > facts.cpus)
    warn(fmt::format("{} threads share {} CPUs", facts.threads, facts.cpus), "leave --threads and run.threads at 0");
  if (facts.threads == facts.cpus && !facts.pinned)
    warn("the worker threads may share a CPU: they could not be pinned", "allow sched_setaffinity in the container");
  if (const auto quota = facts.system.cpu_quota; quota && *quota < facts.threads)
    warn(fmt::format("{} threads run on {:.3g} CPUs' worth of time: the control group's quota stops them in between",
                     facts.threads, *quota),
         fmt::format("raise the quota, or use --threads {}", std::max(1, static_cast<int>(*quota))));
  if (facts.system.load_average > 0.5 * facts.cpus)
    warn(fmt::format("other programs keep the CPUs busy (load average {:.1f}): what is measured is too low, unevenly",
                     facts.system.load_average),
         "measure again when the machine is idle");
  return warnings;
}

OrderedJson to_json(const MachineFacts& facts) {
  const SystemFacts& system = facts.system;
  constexpr HeapSettings kHeap;
  const auto or_null = [](const auto& value) { return value ? OrderedJson(*value) : OrderedJson(); };
  OrderedJson json, sets;
  for (const InstructionSet set : kInstructionSets) sets[std::string(name_of(set))] = has(system, set);
  json["cpu"] = system.cpu_model;
  json["cpus"] = facts.cpus;
  json["cpu_quota"] = or_null(system.cpu_quota);
  json["load_average"] = system.load_average;
  json["threads"] = facts.threads;
  json["pinned"] = facts.pinned;
  json["instruction_sets"] = sets;
  json["kernel_target"] = facts.kernel_target;
  json["aten_capability"] = facts.aten_capability;
  json["blas"] = {{"library", facts.blas_library}, {"kernels", facts.blas_kernels}};
  json["memory"] = {{"bytes", system.memory_bytes},
                    {"available_bytes", system.available_bytes},
                    {"limit_bytes", or_null(system.memory_limit)},
                    {"last_level_cache_bytes", system.last_level_cache_bytes}};
  json["malloc"] = {
      {"mmap_threshold", kHeap.mmap_threshold}, {"trim_threshold", kHeap.trim_threshold}, {"top_pad", kHeap.top_pad}};
  json["warnings"] = OrderedJson::array();
  for (const MachineWarning& warning : warnings_of(facts))
    json["warnings"].push_back({{"what", warning.what}, {"hint", warning.hint}});
  return json;
}

}  // namespace agro
