#include "tensor/machine_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "tensor/machine_probe.h"
#include "tensor/machine_probe_cpu.h"
#include "tensor/ops/instruction_sets_test.h"

namespace agro {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::set<std::string> kAvx2 = {"avx2", "fma"};
const std::set<std::string> kAvx512 = {"avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl"};

/// A machine with nothing to complain about.
MachineFacts good_machine() {
  MachineFacts facts;
  facts.system.cpu_flags = kAvx512;
  facts.cpus = facts.threads = 4;
  facts.pinned = true;
  facts.aten_capability = "AVX512";
  facts.blas_library = "/usr/lib/openblas-openmp/libblas.so.3";
  facts.blas_kernels = "SkylakeX";
  return facts;
}

std::vector<std::string> complaints(const MachineFacts& facts) {
  std::vector<std::string> said;
  for (const MachineWarning& warning : warnings_of(facts)) {
    EXPECT_NE(warning.hint, "") << warning.what;
    said.push_back(warning.what);
  }
  return said;
}

TEST(MachineReport, AGoodMachineHasNoWarnings) {
  MachineFacts facts = good_machine();
  EXPECT_THAT(complaints(facts), IsEmpty());
  facts.system.cpu_quota = 4;
  facts.blas_kernels = "unknown";
  EXPECT_THAT(complaints(facts), IsEmpty());
}

TEST(MachineReport, WarnsOfBlasKernelsBelowTheCpu) {
  MachineFacts facts = good_machine();
  facts.blas_kernels = "Zen";
  EXPECT_THAT(complaints(facts), ElementsAre(HasSubstr("OpenBLAS uses its Zen kernels on a CPU with AVX-512")));
  EXPECT_EQ(warnings_of(facts)[0].hint, "export OPENBLAS_CORETYPE=SkylakeX");
  facts.system.cpu_flags = kAvx2;
  EXPECT_THAT(complaints(facts), IsEmpty());
  facts.blas_kernels = "Prescott";
  EXPECT_THAT(complaints(facts), ElementsAre(HasSubstr("Prescott kernels on a CPU with AVX2")));
  facts.blas_kernels = "unknown";
  facts.blas_library = "/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0";
  EXPECT_THAT(complaints(facts), ElementsAre(HasSubstr("reference BLAS")));
}

TEST(MachineReport, WarnsOfThreadsThatDoNotFitTheCpus) {
  MachineFacts facts = good_machine();
  facts.threads = 3;
  facts.pinned = false;
  EXPECT_THAT(complaints(facts), ElementsAre("3 of 4 CPUs are used"));
  facts.threads = 5;
  EXPECT_THAT(complaints(facts), ElementsAre("5 threads share 4 CPUs"));
  facts.threads = 4;
  EXPECT_THAT(complaints(facts), ElementsAre(HasSubstr("could not be pinned")));
  facts = good_machine();
  facts.system.cpu_quota = 2.5;
  EXPECT_THAT(complaints(facts), ElementsAre(HasSubstr("4 threads run on 2.5 CPUs' worth of time")));
  EXPECT_THAT(warnings_of(facts)[0].hint, HasSubstr("--threads 2"));
}

TEST(MachineReport, WarnsOfUnusedAvx512) {
  MachineFacts facts = good_machine();
  facts.aten_capability = "AVX2";
  EXPECT_THAT(complaints(facts), ElementsAre("the CPU has AVX-512, LibTorch uses AVX2"));
}

TEST(MachineReport, WarnsOfABusyMachine) {
  MachineFacts facts = good_machine();
  facts.system.load_average = 1.9;
  EXPECT_THAT(complaints(facts), IsEmpty());
  facts.system.load_average = 2.1;
  EXPECT_THAT(complaints(facts), ElementsAre(HasSubstr("load average 2.1")));
}

TEST(MachineReport, InstructionSetsFollowFromFlags) {
  SystemFacts system;
  system.cpu_flags = {"avx2", "avx512f", "amx_bf16"};
  for (const InstructionSet set : kInstructionSets) EXPECT_FALSE(has(system, set)) << name_of(set);
  system.cpu_flags.insert({"fma", "avx512bw", "avx512dq", "avx512vl", "avx512_bf16", "amx_tile"});
  for (const InstructionSet set : kInstructionSets) EXPECT_TRUE(has(system, set)) << name_of(set);
}

TEST(MachineProbe, LoopsComputeWhatTheySay) {
  std::vector<float> x(1024);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 7);
  // Small whole numbers: exact in any order.
  const float all = std::accumulate(x.begin(), x.end(), 0.0F);
  const float part = std::accumulate(x.begin() + 1, x.begin() + 257, 0.0F);
  std::set<std::string_view> targets;
  on_every_instruction_set([&] {
    EXPECT_EQ(streamed_sum(1024, x.data()), all);
    EXPECT_EQ(streamed_sum(256, x.data() + 1), part);
    float sink = 0;
    const int64_t operations = multiply_add_chains(100, &sink);
    // All chains are at 2 by then: their sum counts them, lane by lane.
    EXPECT_EQ(operations, static_cast<int64_t>(sink / 2) * 2 * 100);
    targets.insert(kernel_target());
  });
  EXPECT_EQ(targets.size(), hwy::SupportedAndGeneratedTargets().size());
}

/// The limit must be one: a product cannot be faster than arithmetic alone. A machine that is busy with other things
/// may slow down one and not the other, hence the attempts.
TEST(MachineProbe, NoProductIsFasterThanThePeak) {
  MachineRates rates;
  const auto consistent = [&] {
    return std::all_of(rates.products.begin(), rates.products.end(),
                       [&](const ProductRate& product) { return product.gflops <= 1.1 * rates.float32_gflops; });
  };
  for (int attempt = 0; attempt < 3 && (attempt == 0 || !consistent()); ++attempt)
    rates = measure_machine(read_machine());
  ASSERT_EQ(rates.products.size(), 2U);
  EXPECT_TRUE(consistent()) << to_json(rates).dump(2);
  for (const ProductRate& product : rates.products) EXPECT_GT(product.gflops, 0);
  EXPECT_GT(rates.read_bytes_per_second, 0);
  EXPECT_NE(rates.bfloat16_note, "");
}

}  // namespace
}  // namespace agro
