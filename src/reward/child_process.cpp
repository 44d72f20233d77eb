#include "reward/child_process.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

#include "core/error.h"
#include "core/parallel.h"

namespace agro {
namespace {

using std::chrono::milliseconds;

/// Lets this thread run anywhere while it starts a child, which inherits that.
class Unpinned {
 public:
  Unpinned() {
    CPU_ZERO(&before_);
    known_ = ::sched_getaffinity(0, sizeof(before_), &before_) == 0;
    unpin_this_thread();
  }
  ~Unpinned() {
    if (known_) ::sched_setaffinity(0, sizeof(before_), &before_);
  }
  Unpinned(const Unpinned&) = delete;
  Unpinned& operator=(const Unpinned&) = delete;

 private:
  cpu_set_t before_;
  bool known_;
};

/// Turns a SIGPIPE of this thread's writes into their EPIPE; the process-wide handler stays the application's.
class NoSigpipe {
 public:
  NoSigpipe() {
    ::sigemptyset(&sigpipe_);
    ::sigaddset(&sigpipe_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~NoSigpipe() {
    const timespec no_wait{};
    if (!was_pending_)
      while (::sigtimedwait(&sigpipe_, nullptr, &no_wait) < 0 && errno == EINTR) continue;
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t sigpipe_, before_;
  bool was_pending_;
};

/// What posix_spawn is told; frees its two opaque objects.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  ~SpawnPlan() {
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

pid_t spawn(const std::vector<std::string>& argv, int in, int out, int err) {
  SpawnPlan plan;
  int error = ::posix_spawn_file_actions_adddup2(&plan.actions, in, STDIN_FILENO);
  if (error == 0) error = ::posix_spawn_file_actions_adddup2(&plan.actions, out, STDOUT_FILENO);
  if (error == 0) error = ::posix_spawn_file_actions_adddup2(&plan.actions, err, STDERR_FILENO);
  sigset_t none, usual;
  ::sigemptyset(&none);
  ::sigemptyset(&usual);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGQUIT, SIGCHLD}) ::sigaddset(&usual, signal);
  ::posix_spawnattr_setsigmask(&plan.attributes, &none);
  ::posix_spawnattr_setsigdefault(&plan.attributes, &usual);
  ::posix_spawnattr_setpgroup(&plan.attributes, 0);
  ::posix_spawnattr_setflags(&plan.attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = -1;
  const Unpinned unpinned;
  if (error == 0)
    error = ::posix_spawnp(&pid, arguments[0], &plan.actions, &plan.attributes, arguments.data(), environ);
  if (error != 0)
    throw fail("cannot start '{}': {}", argv[0], std::strerror(error)).hint("is it installed, in PATH and executable?");
  return pid;
}

/// Whether the process has ended; it stays a zombie, so its number and group cannot be reused before the reaping.
bool has_ended(pid_t pid, siginfo_t& info) {
  info = {};
  if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0) return errno != EINTR;
  return info.si_pid == pid;
}

bool wait_for_end(pid_t pid, milliseconds patience, siginfo_t& info) {
  const auto deadline = ChildProcess::Clock::now() + patience;
  while (!has_ended(pid, info)) {
    if (ChildProcess::Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return true;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& argv) {
  if (argv.empty() || argv[0].empty())
    throw fail("no program to run").hint("set command = [\"PROGRAM\", \"ARGUMENT\", ...]");
  Pipe in = make_pipe(), out = make_pipe(), err = make_pipe();
  for (const FileDescriptor* end : {&in.write_end, &out.read_end, &err.read_end}) set_non_blocking(*end);
  pid_ = spawn(argv, in.read_end.get(), out.write_end.get(), err.write_end.get());
  input_ = std::move(in.write_end);
  output_ = std::move(out.read_end);
  errors_ = std::move(err.read_end);
}

ChildProcess::~ChildProcess() {
  input_.close();
  siginfo_t info;
  wait_for_end(pid_, milliseconds(200), info);
  ::kill(-pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
}

bool ChildProcess::running() const {
  siginfo_t info;
  return !has_ended(pid_, info);
}

ChildProcess::Received ChildProcess::receive(std::string& line, Clock::time_point deadline) {
  while (true) {
    if (take_line(line)) return Received::kLine;
    if (!output_.is_open()) return Received::kEnd;
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return Received::kTimeout;

    // poll() passes over negative descriptors.
    std::array<pollfd, 3> streams = {pollfd{outgoing_.empty() ? -1 : input_.get(), POLLOUT, 0},
                                     pollfd{output_.get(), POLLIN, 0}, pollfd{errors_.get(), POLLIN, 0}};
    if (::poll(streams.data(), streams.size(), static_cast<int>(std::min<int64_t>(left, 3'600'000))) < 0) {
      if (errno == EINTR) continue;
      throw fail("cannot wait for the program: {}", std::strerror(errno));
    }
    if (streams[0].revents != 0) write_input();
    if (streams[1].revents != 0) read_output();
    if (streams[2].revents != 0) read_errors();
  }
}

bool ChildProcess::take_line(std::string& line) {
  size_t end = incoming_.find('\n', searched_);
  if (end == std::string::npos) {
    searched_ = incoming_.size();
    if (searched_ > kMaxLine) throw fail("the program wrote a line of more than {} bytes", kMaxLine);
    if (output_.is_open() || incoming_.empty()) return false;
    end = incoming_.size();
  }
  line = incoming_.substr(0, end);
  incoming_.erase(0, end + 1);
  searched_ = 0;
  return true;
}

void ChildProcess::write_input() {
  const NoSigpipe guard;
  const ssize_t count = ::write(input_.get(), outgoing_.data() + sent_, outgoing_.size() - sent_);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count < 0) input_.close();
  sent_ += count < 0 ? 0 : static_cast<size_t>(count);
  if (!input_.is_open() || sent_ == outgoing_.size()) {
    outgoing_.clear();
    sent_ = 0;
  }
}

void ChildProcess::read_output() {
  std::array<char, 16384> bytes;
  const ssize_t count = ::read(output_.get(), bytes.data(), bytes.size());
  if (count > 0) incoming_.append(bytes.data(), static_cast<size_t>(count));
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) output_.close();
}

void ChildProcess::read_errors() {
  constexpr size_t kKept = 4096;
  std::array<char, 16384> bytes;
  const ssize_t count = ::read(errors_.get(), bytes.data(), bytes.size());
  if (count > 0) error_tail_.append(bytes.data(), static_cast<size_t>(count));
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) errors_.close();
  if (error_tail_.size() > kKept) error_tail_.erase(0, error_tail_.size() - kKept);
}

std::string ChildProcess::how_it_ended() const {
  siginfo_t info;
  if (!wait_for_end(pid_, milliseconds(500), info) || info.si_pid != pid_) return "closed its output";
  if (info.si_code == CLD_EXITED) return fmt::format("exited with status {}", info.si_status);
  return fmt::format("was killed by signal {} ({})", info.si_status, ::strsignal(info.si_status));
}

std::string ChildProcess::last_errors() {
  // As many reads as a full pipe needs; a program that keeps writing must not hold us here.
  for (int reads = 0; reads < 8 && errors_.is_open(); ++reads) read_errors();
  return error_tail_;
}

}  // namespace agro
