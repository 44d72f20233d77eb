#include "reward/child_process.h"

#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>

#include <fstream>

#include "core/error.h"
#include "core/parallel.h"

namespace agro {
namespace {

using testing::HasSubstr;
using Received = ChildProcess::Received;

std::vector<std::string> shell(const std::string& script) { return {"sh", "-c", script}; }

ChildProcess::Clock::time_point in_seconds(int seconds) {
  return ChildProcess::Clock::now() + std::chrono::seconds(seconds);
}

std::string next_line(ChildProcess& child) {
  std::string line;
  EXPECT_EQ(child.receive(line, in_seconds(20)), Received::kLine);
  return line;
}

TEST(ChildProcess, ExchangesLines) {
  ChildProcess child({"cat"});
  child.send("one\n\ntwo\nth");
  EXPECT_EQ(next_line(child), "one");
  EXPECT_EQ(next_line(child), "");
  EXPECT_EQ(next_line(child), "two");
  child.send("ree\n");
  EXPECT_EQ(next_line(child), "three");
  EXPECT_TRUE(child.running());
  std::string line;
  EXPECT_EQ(child.receive(line, ChildProcess::Clock::now() + std::chrono::milliseconds(20)), Received::kTimeout);
}

TEST(ChildProcess, TellsHowItEnded) {
  std::string line;
  ChildProcess leaves(shell("echo last words >&2; printf 'no newline'; exit 3"));
  EXPECT_EQ(next_line(leaves), "no newline");
  EXPECT_EQ(leaves.receive(line, in_seconds(20)), Received::kEnd);
  EXPECT_EQ(leaves.how_it_ended(), "exited with status 3");
  EXPECT_EQ(leaves.last_errors(), "last words\n");
  EXPECT_FALSE(leaves.running());

  ChildProcess crashes(shell("kill -9 $$"));
  EXPECT_EQ(crashes.receive(line, in_seconds(20)), Received::kEnd);
  EXPECT_THAT(crashes.how_it_ended(), HasSubstr("was killed by signal 9"));

  ChildProcess stays(shell("exec >&-; exec sleep 1000"));
  EXPECT_EQ(stays.receive(line, in_seconds(20)), Received::kEnd);
  EXPECT_EQ(stays.how_it_ended(), "closed its output");
}

TEST(ChildProcess, MustExist) {
  for (const char* program : {"/nowhere/agro-scorer", "agro-no-such-scorer"}) try {
      ChildProcess child({program});
      FAIL() << "started a program that does not exist";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(program));
      EXPECT_THAT(error.what(), HasSubstr("No such file"));
    }
  EXPECT_THROW(ChildProcess({}), Error);
}

TEST(ChildProcess, WritesWhileItReads) {
  // The program fills its output pipe before it reads anything; both pipes hold far less than what is sent.
  ChildProcess child(
      shell("i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789012345678901234567890123; "
            "i=$((i+1)); done; wc -c"));
  child.send(std::string(1'000'000, 'x') + "\n");
  for (int i = 0; i < 3000; ++i) ASSERT_EQ(next_line(child).size(), 64U);
  EXPECT_TRUE(child.running());
}

TEST(ChildProcess, KeepsOnlyTheEndOfManyErrorMessages) {
  ChildProcess child(shell("i=0; while [ $i -lt 20000 ]; do echo message $i >&2; i=$((i+1)); done; echo done"));
  EXPECT_EQ(next_line(child), "done");
  const std::string errors = child.last_errors();
  EXPECT_LE(errors.size(), 4096U);
  EXPECT_THAT(errors, HasSubstr("message 19999\n"));
}

TEST(ChildProcess, BoundsALine) {
  ChildProcess child(shell("exec cat /dev/zero"));
  std::string line;
  try {
    child.receive(line, in_seconds(60));
    FAIL() << "an endless line was accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("line of more than 1048576 bytes"));
  }
}

TEST(ChildProcess, LeavesSigpipeAlone) {
  struct sigaction before {
  }, after{};
  ::sigaction(SIGPIPE, nullptr, &before);
  ChildProcess child(shell("exec 0<&-; echo closed; exec sleep 1000"));
  EXPECT_EQ(next_line(child), "closed");
  std::string line;
  for (int i = 0; i < 3; ++i) {
    child.send(std::string(200'000, 'x'));
    EXPECT_EQ(child.receive(line, ChildProcess::Clock::now() + std::chrono::milliseconds(20)), Received::kTimeout);
  }
  sigset_t pending;
  ::sigpending(&pending);
  EXPECT_EQ(::sigismember(&pending, SIGPIPE), 0);
  ::sigaction(SIGPIPE, nullptr, &after);
  EXPECT_EQ(before.sa_handler, after.sa_handler);
}

/// "" once the process is gone (a zombie that nobody collects counts as gone).
std::string state_of(const std::string& pid) {
  std::ifstream status("/proc/" + pid + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("State:")) return line.find('Z') == std::string::npos ? line : "";
  return "";
}

TEST(ChildProcess, EndsWithItsWholeGroup) {
  std::string shell_pid, grandchild;
  {
    ChildProcess child(shell("trap '' TERM INT HUP; sleep 1000 & echo $$; echo $!; wait; sleep 1000"));
    shell_pid = next_line(child);
    grandchild = next_line(child);
    EXPECT_NE(state_of(grandchild), "");
  }
  EXPECT_EQ(state_of(shell_pid), "");
  const auto deadline = in_seconds(20);
  while (!state_of(grandchild).empty() && ChildProcess::Clock::now() < deadline) ::sched_yield();
  EXPECT_EQ(state_of(grandchild), "");
}

TEST(ChildProcess, InheritsNeitherTheCoreOfAWorkerNorItsPipes) {
  unpin_this_thread();
  cpu_set_t all, one;
  ASSERT_EQ(::sched_getaffinity(0, sizeof(all), &all), 0);
  size_t first = 0;
  while (!CPU_ISSET(first, &all)) ++first;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(::sched_setaffinity(0, sizeof(one), &one), 0);
  const std::string script = "exec env -u OMP_NUM_THREADS sh -c 'nproc; ls /proc/self/fd | wc -l; cat'";
  ChildProcess child(shell(script));
  ChildProcess sibling(shell(script));
  cpu_set_t now;
  ::sched_getaffinity(0, sizeof(now), &now);
  EXPECT_EQ(CPU_COUNT(&now), 1) << "the worker itself stays where it was";
  unpin_this_thread();
  const std::string cpus = std::to_string(CPU_COUNT(&all));
  EXPECT_EQ(next_line(child), cpus);
  EXPECT_EQ(next_line(sibling), cpus);
  EXPECT_EQ(next_line(child), next_line(sibling));
}

}  // namespace
}  // namespace agro
