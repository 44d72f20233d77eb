#pragma once
// A run directory, followed: read once, then only what is new.
#include "report/line_tail.h"
#include "report/run_data.h"

namespace agro {

class RunTail {
 public:
  /// Reads what is there; see read_run() for errors.
  explicit RunTail(const Path& folder);

  const RunData& data() const { return data_; }
  RunData take() && { return std::move(data_); }

  enum class Change {
    kNone,
    kGrown,    // rows, completion steps or the state; what was there before still holds
    kReplaced  // the run was resumed or started anew, or evaluation files changed: data() was read again
  };
  /// Takes up what has happened since the last call; a glance at a few files where nothing has. Throws Error on a
  /// damaged record; what was read before it stays.
  Change update();

 private:
  void read_records();

  RunData data_;
  LineTail metrics_, timings_;
  std::filesystem::file_time_type config_time_, completions_time_, evaluations_time_;
};

}  // namespace agro
