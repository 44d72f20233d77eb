// Made-up /proc and /sys trees, as containers have them.
#include "core/system.h"

#include <gtest/gtest.h>

#include "core/test_folder.h"

namespace agro {
namespace {

constexpr int64_t kMiB = 1024 * 1024;

class System : public TestFolder {
 protected:
  void file(const std::string& path, const std::string& content) { write_atomically(folder_ / path, content); }

  void SetUp() override {
    TestFolder::SetUp();
    file("proc/cpuinfo",
         "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: fpu avx2 avx512f\n\n"
         "processor\t: 1\nmodel name\t: Another\nflags\t\t: sse\n");
    file("proc/meminfo", "MemTotal:        1048576 kB\nMemFree: 1 kB\nMemAvailable:     524288 kB\n");
    file("proc/loadavg", "3.25 2.00 1.00 1/99 1234\n");
  }
};

TEST_F(System, ProcessorAndMemory) {
  const SystemFacts facts = read_system(folder_);
  EXPECT_EQ(facts.cpu_model, "Some CPU @ 2 GHz");
  EXPECT_EQ(facts.cpu_flags, (std::set<std::string>{"fpu", "avx2", "avx512f"}));
  EXPECT_EQ(facts.memory_bytes, 1024 * kMiB);
  EXPECT_EQ(facts.available_bytes, 512 * kMiB);
  EXPECT_EQ(facts.load_average, 3.25);
  EXPECT_FALSE(facts.memory_limit.has_value());
  EXPECT_FALSE(facts.cpu_quota.has_value());
}

TEST_F(System, TheTightestOfAGroupAndItsParentsBinds) {
  file("proc/self/cgroup", "0::/outer/inner\n");
  file("sys/fs/cgroup/outer/cpu.max", "150000 100000\n");
  file("sys/fs/cgroup/outer/inner/cpu.max", "max 100000\n");
  file("sys/fs/cgroup/outer/memory.max", "max\n");
  file("sys/fs/cgroup/outer/inner/memory.max", "268435456\n");
  const SystemFacts facts = read_system(folder_);
  EXPECT_EQ(facts.cpu_quota, 1.5);
  EXPECT_EQ(facts.memory_limit, 256 * kMiB);
  EXPECT_EQ(facts.available_bytes, 256 * kMiB);
}

TEST_F(System, VersionOneWithAPathOfTheHost) {
  file("proc/self/cgroup", "9:name=systemd:/x\n3:cpu,cpuacct:/host/only\n2:memory:/host/only\nnonsense\n");
  file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "50000\n");
  file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  const SystemFacts facts = read_system(folder_);
  EXPECT_EQ(facts.cpu_quota, 0.5);
  EXPECT_FALSE(facts.memory_limit.has_value());
}

TEST_F(System, NoQuotaIsMinusOneInVersionOne) {
  file("proc/self/cgroup", "1:cpu:/\n");
  file("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  file("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_FALSE(read_system(folder_).cpu_quota.has_value());
}

TEST_F(System, NothingToReadIsNoError) {
  const SystemFacts facts = read_system(folder_ / "empty");
  EXPECT_EQ(facts.cpu_model, "unknown");
  EXPECT_EQ(facts.memory_bytes, 0);
}

TEST_F(System, OfThisMachine) {
  const SystemFacts facts = read_system();
  EXPECT_GT(facts.memory_bytes, 0);
  EXPECT_GT(facts.available_bytes, 0);
  EXPECT_LE(facts.available_bytes, facts.memory_bytes);
}

}  // namespace
}  // namespace agro
