#include "report/live_feed.h"

#include <charconv>

#include "core/error.h"
#include "core/log.h"
#include "report/page_data.h"
#include "report/run_list.h"

namespace agro {
namespace {

constexpr size_t kMaxRuns = 100;
constexpr size_t kMaxGroups = 1000;
constexpr size_t kMaxEvents = 1000, kMaxEventBytes = size_t{8} << 20;

OrderedJson rows_from(const StepTable& table, size_t first) {
  OrderedJson rows = OrderedJson::array();
  for (size_t row = first; row < table.steps.size(); ++row) rows.push_back(table.record(row));
  return rows;
}

}  // namespace

LiveFeed::LiveFeed(std::vector<Path> folders)
    : folders_(std::move(folders)),
      start_(fmt::format("{:x}", std::chrono::system_clock::now().time_since_epoch().count())) {
  for (const Path& folder : folders_)
    if (find_runs(folder).empty()) RunTail{folder};  // says what is missing
  search_for_runs();
  if (runs_.size() > kMaxRuns)
    throw fail("found {} runs, at most {} can be watched together", runs_.size(), kMaxRuns).hint("name some of them");
}

void LiveFeed::search_for_runs() {
  for (const Path& folder : folders_)
    for (const Path& run : find_runs(folder)) {
      if (runs_.size() > kMaxRuns || !known_.insert(run).second) continue;
      try {
        runs_.push_back({RunTail(run), ""});
      } catch (const std::exception& error) {
        if (run == folder) throw;
        log_warning("watch", "{}", error.what());
      }
    }
}

void LiveFeed::poll(bool search) {
  const std::lock_guard lock(mutex_);
  for (size_t run = 0; run < runs_.size(); ++run) {
    try {
      update(run);
      runs_[run].problem.clear();
    } catch (const std::exception& error) {
      if (runs_[run].problem == error.what()) continue;
      runs_[run].problem = error.what();
      log_warning("watch", "{}", error.what());
    }
  }
  const size_t count = runs_.size();
  if (!search || count >= kMaxRuns) return;
  try {
    search_for_runs();
  } catch (const std::exception& error) {
    log_warning("watch", "{}", error.what());
  }
  if (runs_.size() > count) publish("reload", OrderedJson::object());
}

void LiveFeed::update(size_t run) {
  RunTail& tail = runs_[run].tail;
  const size_t metrics = tail.data().metrics.steps.size(), evaluations = tail.data().evaluations.steps.size(),
               timings = tail.data().timings.steps.size();
  const RunTail::Change change = tail.update();
  if (change == RunTail::Change::kNone) return;
  if (change == RunTail::Change::kReplaced) return publish("reload", OrderedJson::object());
  OrderedJson news;
  news["run"] = run;
  news["state"] = name_of(tail.data().state);
  news["metrics"] = rows_from(tail.data().metrics, metrics);
  news["evaluations"] = rows_from(tail.data().evaluations, evaluations);
  news["timings"] = rows_from(tail.data().timings, timings);
  news["completion_steps"] = tail.data().completion_steps;
  publish("rows", news);
}

void LiveFeed::publish(const std::string& kind, const OrderedJson& data) {
  events_.push_back({++last_, event_text(last_, kind, data)});
  events_size_ += events_.back().text.size();
  while (events_.size() > kMaxEvents || (events_size_ > kMaxEventBytes && events_.size() > 1)) {
    events_size_ -= events_.front().text.size();
    events_.pop_front();
  }
  data_.reset();
  changed_.notify_all();
}

std::string LiveFeed::event_text(Position position, const std::string& kind, const OrderedJson& data) const {
  return fmt::format("id: {}\nevent: {}\ndata: {}\n\n", cursor(position), kind, to_line(data));
}

std::string LiveFeed::cursor(Position position) const { return fmt::format("{}-{}", start_, position); }

std::shared_ptr<const std::string> LiveFeed::data() {
  const std::lock_guard lock(mutex_);
  if (!data_) {
    std::vector<RunData> runs;
    for (const Watched& run : runs_) runs.push_back(run.tail.data());
    OrderedJson page = page_data(runs, {.live = true});
    page["cursor"] = cursor(last_);
    data_ = std::make_shared<const std::string>(to_line(page));
  }
  return data_;
}

OrderedJson LiveFeed::completions(size_t run, int64_t step) {
  Path folder;
  {
    const std::lock_guard lock(mutex_);
    if (run >= runs_.size()) throw fail("there is no run {}, but {} of them, from 0", run, runs_.size());
    folder = runs_[run].tail.data().folder;
  }
  return page_completions(folder, step, kMaxGroups);
}

LiveFeed::Position LiveFeed::position_of(const std::string& cursor) const {
  const std::string own = start_ + "-";
  Position position = 0;
  if (cursor.starts_with(own)) std::from_chars(cursor.data() + own.size(), cursor.data() + cursor.size(), position);
  return position;
}

std::string LiveFeed::wait(Position& position, std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [&] { return closed_ || position != last_; });
  if (position == last_) return "";
  const Position first = last_ + 1 - events_.size();
  std::string text;
  if (position > last_ || position + 1 < first) {
    text = event_text(last_, "reload", OrderedJson::object());
  } else {
    for (Position next = position + 1; next <= last_; ++next) text += events_[next - first].text;
  }
  position = last_;
  return text;
}

void LiveFeed::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

bool LiveFeed::wait_closed(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [this] { return closed_; });
}

}  // namespace agro
