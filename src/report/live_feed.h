#pragma once
// Runs that are being watched, and the news of them as server-sent events. One feed serves every client: the files are
// looked at once, however many listen.
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "report/run_tail.h"

namespace agro {

/// All functions may be called from any thread.
class LiveFeed {
 public:
  /// Each folder is a run or holds runs below it (see find_runs). Of the latter, those that cannot be read are left out
  /// with a warning. Throws Error where a folder has no run, where one that was named cannot be read, or where there
  /// are more than 100 in all.
  explicit LiveFeed(std::vector<Path> folders);

  /// Takes up what was written since the last call. A run that cannot be read any more keeps what it has, with a
  /// warning. `search` looks for new runs too.
  void poll(bool search);

  /// page_data() of all runs, with the position of this state in the events as "cursor".
  std::shared_ptr<const std::string> data();

  /// The responses of one step as a list of groups. Throws Error where there is no such run or step.
  OrderedJson completions(size_t run, int64_t step);

  using Position = uint64_t;
  /// Where a client stands that has seen the state or event of this name; one of which nothing is known has to load
  /// the data again.
  Position position_of(const std::string& cursor) const;

  /// The events after `position`, which moves on, as text of the protocol. Waits for one, at most `patience`; empty
  /// where none came.
  std::string wait(Position& position, std::chrono::milliseconds patience);

  /// Ends every wait(), now and from now on.
  void close();
  /// Waits for close(), at most `patience`; whether it has been called.
  bool wait_closed(std::chrono::milliseconds patience = std::chrono::milliseconds(0));

 private:
  struct Watched {
    RunTail tail;
    std::string problem;  // said already
  };
  struct Event {
    Position position;
    std::string text;
  };
  void search_for_runs();
  void update(size_t run);
  void publish(const std::string& kind, const OrderedJson& data);
  std::string event_text(Position position, const std::string& kind, const OrderedJson& data) const;
  std::string cursor(Position position) const;

  const std::vector<Path> folders_;
  const std::string start_;  // tells cursors of this feed from those of an earlier process
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Watched> runs_;
  std::set<Path> known_;
  std::deque<Event> events_;  // the newest, with consecutive positions
  size_t events_size_ = 0;    // bytes
  Position last_ = 1;
  std::shared_ptr<const std::string> data_;  // of position last_; empty where not asked for yet
  bool closed_ = false;
};

}  // namespace agro
