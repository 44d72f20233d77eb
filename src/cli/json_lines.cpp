#include "cli/json_lines.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <iostream>
#include <utility>

#include "core/error.h"

namespace agro {
namespace {

constexpr size_t kMaxLineBytes = size_t{1} << 30;
constexpr int kMaxDepth = 64;  // copying and writing a value recurse

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

OrderedJson parse_object(std::string_view text) {
  const auto check = [](int depth, OrderedJson::parse_event_t event, OrderedJson&) {
    const bool opens =
        event == OrderedJson::parse_event_t::object_start || event == OrderedJson::parse_event_t::array_start;
    if (opens && depth >= kMaxDepth) throw fail("is nested deeper than {} levels", kMaxDepth);
    return true;
  };
  try {
    OrderedJson value = OrderedJson::parse(text, check);
    if (!value.is_object()) throw fail("expected a JSON object, found {}", value.type_name());
    return value;
  } catch (const OrderedJson::exception& error) {
    throw fail("is not valid JSON: {}", error.what()).hint("every line must hold one complete JSON object");
  }
}

void write_lines(const std::vector<OrderedJson>& answers) {
  for (const OrderedJson& answer : answers) std::cout << to_line(answer) << '\n';
  if (!std::cout.flush()) throw Error("cannot write to standard output");
}

}  // namespace

bool JsonLineReader::has_line() {
  for (;;) {
    const size_t end = buffer_.find('\n', searched_);
    searched_ = std::min(end, buffer_.size());
    if (end == std::string::npos) return false;
    if (!is_blank(std::string_view(buffer_).substr(begin_, end - begin_))) return true;
    begin_ = searched_ = end + 1;
    ++line_;
  }
}

bool JsonLineReader::read_more() {
  if (buffer_.size() - begin_ > kMaxLineBytes)
    throw fail("is longer than {} bytes", kMaxLineBytes).at(fmt::format("{}: line {}", name_, line_ + 1));
  buffer_.erase(0, begin_);
  searched_ -= begin_;
  begin_ = 0;
  std::array<char, 1 << 16> chunk;
  ssize_t count = 0;
  do {
    count = ::read(input_, chunk.data(), chunk.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) throw fail("cannot be read: {}", std::strerror(errno)).at(name_);
  buffer_.append(chunk.data(), static_cast<size_t>(count));
  ended_ = count == 0;
  return !ended_;
}

bool JsonLineReader::ready() {
  while (!ended_ && !has_line()) {
    pollfd waiting{input_, POLLIN, 0};
    if (::poll(&waiting, 1, 0) <= 0) return false;
    read_more();
  }
  return true;
}

std::optional<OrderedJson> JsonLineReader::next() {
  while (!has_line() && read_more()) {
  }
  const std::string_view line = std::string_view(buffer_).substr(begin_, searched_ - begin_);
  if (is_blank(line)) return std::nullopt;
  begin_ = searched_ = std::min(searched_ + 1, buffer_.size());
  ++line_;
  try {
    return parse_object(line);
  } catch (Error& error) {
    throw std::move(error).at(place());
  }
}

std::string JsonLineReader::place() const { return fmt::format("{}: line {}", name_, line_); }

void answer_in_batches(size_t limit, const std::function<void(const OrderedJson& record, int64_t line)>& accept,
                       const std::function<std::vector<OrderedJson>()>& answer) {
  JsonLineReader input(STDIN_FILENO, "standard input");
  for (bool ended = false; !ended;) {
    size_t accepted = 0;
    std::exception_ptr failure;
    try {
      while (accepted < limit && (accepted == 0 || input.ready())) {
        const std::optional<OrderedJson> record = input.next();
        ended = !record;
        if (ended) break;
        try {
          accept(*record, input.line());
        } catch (Error& error) {
          throw std::move(error).at(input.place());
        }
        ++accepted;
      }
    } catch (const Error&) {
      failure = std::current_exception();
    }
    if (accepted > 0) write_lines(answer());
    if (failure) std::rethrow_exception(failure);
  }
}

void answer_lines(const std::function<OrderedJson(const OrderedJson& record, int64_t line)>& answer) {
  std::vector<OrderedJson> answers;
  answer_in_batches(
      1, [&](const OrderedJson& record, int64_t line) { answers.push_back(answer(record, line)); },
      [&] { return std::exchange(answers, {}); });
}

}  // namespace agro
