// Runs that are killed, stopped by Ctrl-C, or meet a full disk, and what --resume makes of them.
#include <signal.h>

#include <chrono>
#include <random>
#include <thread>

#include "core/test_disk.h"
#include "training.h"

namespace agro {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Interrupt : public TrainingTest {
 protected:
  /// Starts the program and sends it `signal` some time after its checkpoint `step`. False where it was done by then.
  bool start_and_send(int signal, const std::vector<std::string>& arguments, const std::string& run, int64_t step,
                      std::chrono::microseconds later, Finished& finished) {
    write_atomically(folder_ / "stdin", "");
    const pid_t child = start(arguments, folder_ / "stdin");
    siginfo_t ended{};
    while (newest_checkpoint(run) < step && ended.si_pid == 0) {
      ::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(later);
    ::kill(child, signal);
    finished = wait(child);
    return finished.code != 0 || newest_checkpoint(run) < 10;
  }
};

class Kill : public Interrupt, public testing::WithParamInterface<std::string> {};

TEST_P(Kill, AtRandomMomentsChangesNothing) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  const std::string experiment = config(GetParam());
  ASSERT_EQ(run(train(experiment, "whole")).code, 0);
  int kills = 0;
  for (int64_t target = 0; target < 9; target = newest_checkpoint("killed") + 1 + random() % 3) {
    Finished finished;
    const auto later = std::chrono::microseconds(random() % 30'000);
    const bool killed =
        start_and_send(SIGKILL, train(experiment, "killed", {"--resume"}), "killed", target, later, finished);
    ASSERT_EQ(finished.code, finished.code == 0 ? 0 : 128 + SIGKILL) << finished.err;
    kills += killed ? 1 : 0;
  }
  EXPECT_GT(kills, 0);
  const Finished last = run(train(experiment, "killed", {"--resume"}));
  ASSERT_EQ(last.code, 0) << last.err;
  expect_same_run("whole", "killed");
}

INSTANTIATE_TEST_SUITE_P(Data, Kill, testing::Values("fresh", "stored"), [](const auto& test) { return test.param; });

TEST_F(Interrupt, ControlCStopsWithACheckpoint) {
  const std::string experiment = config("mixed");
  ASSERT_EQ(run(train(experiment, "whole")).code, 0);
  Finished finished;
  ASSERT_TRUE(start_and_send(SIGINT, train(experiment, "stopped", {"--set", "run.checkpoint_every=2"}), "stopped", 2,
                             std::chrono::microseconds(0), finished));
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(finished.err, AllOf(HasSubstr(fmt::format("stopped after step {}", newest_checkpoint("stopped"))),
                                  HasSubstr("--resume")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "stopped/final"));
  const Finished resumed = run(train(experiment, "stopped", {"--resume"}));
  EXPECT_THAT(resumed.err, HasSubstr("resuming after step"));
  expect_same_run("whole", "stopped");
}

// The limit lets the weights through, but not the optimiser's state beside them.
TEST_F(Interrupt, AFullDiskKeepsTheOldCheckpoint) {
  const std::string experiment = config("fresh");
  ASSERT_EQ(run(train(experiment, "whole")).code, 0);
  const std::string rarely = "run.checkpoint_every=3";
  const uint64_t weights = std::filesystem::file_size(kGolden / "e2e_qwen2_addition/model.safetensors");
  Finished finished;
  ASSERT_TRUE(start_and_send(SIGINT, train(experiment, "full"), "full", 2, std::chrono::microseconds(0), finished));
  const int64_t last = newest_checkpoint("full");
  const Path state = folder_ / "full/checkpoints" / fmt::format("step-{}", last) / "training_state.safetensors";
  const std::string before = read_file(state);
  {
    const FileSizeLimit disk(weights * 3 / 2);
    finished = run(train(experiment, "full", {"--resume", "--set", rarely}));
  }
  EXPECT_EQ(finished.code, 1);
  EXPECT_THAT(finished.err,
              AllOf(HasSubstr("agro: error: "), HasSubstr("checkpoints/"), HasSubstr("training_state.safetensors"),
                    HasSubstr("cannot write"), HasSubstr("is the disk full?")));
  EXPECT_EQ(newest_checkpoint("full"), last);
  EXPECT_TRUE(read_file(state) == before);
  ASSERT_EQ(run(train(experiment, "full", {"--resume"})).code, 0);
  expect_same_run("whole", "full");
}

}  // namespace
}  // namespace agro
