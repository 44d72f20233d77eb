#include "report/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <utility>

#include "report/format.h"
#include "report/text_width.h"

namespace agro {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";
constexpr std::string_view kGap = "  ";

int stderr_width() {
  winsize size{};
  constexpr int kUsual = 80;
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

bool stderr_is_terminal() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string item_text(const ProgressItem& item) {
  return item.label.empty() ? item.text : fmt::format("{} {}", item.label, item.text);
}

}  // namespace

ProgressOptions stderr_progress(int64_t total_steps, int64_t first_step) {
  ProgressOptions options;
  options.first_step = first_step;
  options.total_steps = total_steps;
  options.terminal = stderr_is_terminal();
  options.width = stderr_width;
  options.clock = steady_seconds;
  return options;
}

Progress::Progress(std::ostream& out, ProgressOptions options)
    : out_(out),
      options_(std::move(options)),
      started_(options_.clock()),
      shown_at_(-std::numeric_limits<double>::infinity()),
      step_(options_.first_step) {}

Progress::~Progress() {
  try {
    pause();
  } catch (...) {
    // A stream set to throw must not end the program while another error is on its way.
  }
}

void Progress::update(int64_t step, const std::vector<ProgressItem>& items) {
  step_ = step;
  items_ = items;
  pending_ = true;
  const double interval = options_.terminal ? options_.live_interval_seconds : options_.plain_interval_seconds;
  if (options_.clock() - shown_at_ >= interval) draw();
}

void Progress::keep(std::string_view text) {
  if (live_) out_ << kClearLine;
  out_ << text << '\n';
  if (std::exchange(live_, false)) draw();
  out_.flush();
}

void Progress::finish() {
  if (options_.terminal && (live_ || pending_)) {
    draw();
    out_ << '\n' << std::flush;
    live_ = false;
  } else if (pending_) {
    draw();
  }
}

void Progress::pause() {
  if (std::exchange(live_, false)) out_ << kClearLine << std::flush;
}

void Progress::draw() {
  shown_at_ = options_.clock();
  pending_ = false;
  if (!options_.terminal) {
    out_ << line(std::numeric_limits<size_t>::max()) << '\n' << std::flush;
    return;
  }
  // The last column stays free (some terminals wrap at it). New text first and the rest of the line cleared after it,
  // in one write: the line is never seen empty.
  const auto columns = static_cast<size_t>(std::max(options_.width() - 1, 1));
  out_ << "\r" + line(columns) + "\x1b[K" << std::flush;
  live_ = true;
}

std::string Progress::line(size_t columns) const {
  std::string text = fmt::format("{} {}/{}", options_.unit, step_, options_.total_steps);
  const std::string left = time_left();
  const size_t tail = left.empty() ? 0 : kGap.size() + display_width(left);
  for (const ProgressItem& item : items_) {
    const std::string next = text + std::string(kGap) + item_text(item);
    if (display_width(next) + tail > columns) break;
    text = next;
  }
  if (!left.empty()) text.append(kGap).append(left);
  return cut_to_width(text, columns);
}

std::string Progress::time_left() const {
  const int64_t done = step_ - options_.first_step;
  const int64_t rest = options_.total_steps - step_;
  if (done <= 0 || rest <= 0) return "";
  const double per_step = (shown_at_ - started_) / static_cast<double>(done);
  return duration_text(per_step * static_cast<double>(rest)) + " left";
}

}  // namespace agro
