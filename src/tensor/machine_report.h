#pragma once
// The machine as this process sees and uses it, and what of that costs speed.
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/system.h"

namespace agro {

struct MachineFacts {
  SystemFacts system;
  int cpus = 1;  // that this process may run on
  int threads = 1;
  bool pinned = false;          // every worker thread on a CPU of its own
  std::string kernel_target;    // Highway's name of the instruction set that our kernels use: "AVX3", "AVX2"
  std::string aten_capability;  // LibTorch's: "AVX512", "AVX2", "NO AVX"
  std::string blas_library;     // the file LibTorch's matrix products come from; "unknown"
  std::string blas_kernels;     // OpenBLAS's name of the processor its kernels are for: "SkylakeX"; "unknown"
};

/// Instruction sets that matter to matrix products.
enum class InstructionSet { kAvx2, kAvx512, kAvx512Bf16, kAmxBf16 };
inline constexpr InstructionSet kInstructionSets[] = {InstructionSet::kAvx2, InstructionSet::kAvx512,
                                                      InstructionSet::kAvx512Bf16, InstructionSet::kAmxBf16};
/// "AVX-512-BF16"
std::string_view name_of(InstructionSet set);
/// Whether the CPU reports it, whoever uses it.
bool has(const SystemFacts& system, InstructionSet set);

/// As things are after set_up_machine. Call outside any parallel region.
MachineFacts read_machine();

struct MachineWarning {
  std::string what, hint;
};

/// What makes this machine slower than it could be; empty where nothing is known to.
std::vector<MachineWarning> warnings_of(const MachineFacts& facts);

OrderedJson to_json(const MachineFacts& facts);

}  // namespace agro
