// One process at a time trains in a run directory.
#include "core/file_lock.h"
#include "report/run_data.h"
#include "train/rl_trainer.h"
#include "train/test_support.h"

namespace agro {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class RunLock : public RunTest {};

TEST_F(RunLock, ASecondTrainingInTheSameFolderIsRefused) {
  std::filesystem::create_directories(folder_ / "run");
  {
    const auto other = FileLock::try_acquire(run_lock_path(folder_ / "run"));
    ASSERT_TRUE(other);
    for (const bool resume : {false, true})
      EXPECT_THAT(error_of([&] { run_rl(addition("run"), resume); }),
                  AllOf(HasSubstr((folder_ / "run").string() + ": another process"), HasSubstr("run.output")));
    EXPECT_EQ(read_run(folder_ / "run").state, RunState::kRunning);
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/metrics.jsonl"));
  run_rl(addition("run"), false);
  EXPECT_EQ(read_run(folder_ / "run").state, RunState::kFinished);
  EXPECT_FALSE(std::filesystem::exists(run_lock_path(folder_ / "run")));
}

}  // namespace
}  // namespace agro
