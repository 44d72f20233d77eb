#pragma once
// What the person at the screen sees while a run goes on: one live line on a terminal, a plain line now and then in a
// log.
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace agro {

/// One figure of the live line: "reward", "0.512". Without label the text stands alone ("1.2k tok/s").
struct ProgressItem {
  std::string label;
  std::string text;
};

struct ProgressOptions {
  int64_t first_step = 0;  // steps done before this run began (on resuming)
  int64_t total_steps = 0;
  std::string unit = "step";           // what is counted
  bool terminal = false;               // live line, or plain lines
  double plain_interval_seconds = 10;  // between two plain lines
  double live_interval_seconds = 0.1;  // between two rewrites of the live line
  std::function<int()> width;          // columns of the terminal; asked before each rewrite
  std::function<double()> clock;       // seconds, never going back
};

/// Options for standard error as it is: terminal or not, its width, the steady clock.
ProgressOptions stderr_progress(int64_t total_steps, int64_t first_step = 0);

/// Shows steps on a stream. Used by one thread. Whatever way the object goes, an exception included, the cursor is left
/// at the start of an empty line.
class Progress {
 public:
  /// `out` must outlive the object.
  Progress(std::ostream& out, ProgressOptions options);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `step` steps are done. Items come in order of importance: on a narrow terminal the last ones are left out.
  void update(int64_t step, const std::vector<ProgressItem>& items);

  /// A line that stays, above the live one: an evaluation, a checkpoint, a warning.
  void keep(std::string_view line);

  /// Turns the last update into a line that stays.
  void finish();

  /// Removes the live line until the next update, so that others may write to the terminal.
  void pause();

 private:
  std::string line(size_t columns) const;
  std::string time_left() const;
  void draw();

  std::ostream& out_;
  ProgressOptions options_;
  double started_;
  double shown_at_;
  int64_t step_;
  bool live_ = false;     // the live line is on the screen
  bool pending_ = false;  // the last update was not shown yet
  std::vector<ProgressItem> items_;
};

}  // namespace agro
