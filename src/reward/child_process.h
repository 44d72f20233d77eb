#pragma once
// A program started by this one that exchanges lines with it: its own process group, pipes to its three standard
// streams, and one poll loop that writes and reads together so that full pipes cannot lock both sides.
#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "reward/file_descriptor.h"

namespace agro {

class ChildProcess {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Received { kLine, kEnd, kTimeout };

  static constexpr size_t kMaxLine = size_t{1} << 20;

  /// Starts argv[0], looked up in PATH where it holds no '/'. The program may use every CPU that this process was given
  /// and does not get the terminal's Ctrl-C. Throws Error if it cannot be started.
  explicit ChildProcess(const std::vector<std::string>& argv);
  /// Closes its input, gives it a moment to leave by itself, then kills its whole process group.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  bool running() const;

  /// Queues bytes for its standard input; receive() writes them. What a closed input no longer takes is dropped.
  void send(std::string_view bytes) { outgoing_ += bytes; }

  /// Waits for the next line of its standard output (without '\n'; text before the end of the output counts as a line).
  /// kEnd: the output is closed. kTimeout: `deadline` has passed. Throws Error for a line longer than kMaxLine.
  Received receive(std::string& line, Clock::time_point deadline);

  /// "exited with status 3", "was killed by signal 9 (Killed)" or "closed its output". Call after kEnd: it waits a
  /// moment for the exit that usually follows.
  std::string how_it_ended() const;

  /// The last 4 KiB it wrote to standard error, as far as they have arrived.
  std::string last_errors();

 private:
  bool take_line(std::string& line);
  void write_input();
  void read_output();
  void read_errors();

  pid_t pid_ = -1;
  FileDescriptor input_, output_, errors_;
  std::string outgoing_;  // queued for input_; the first sent_ bytes are gone
  size_t sent_ = 0;
  std::string incoming_;  // from output_; no '\n' in the first searched_ bytes
  size_t searched_ = 0;
  std::string error_tail_;
};

}  // namespace agro
