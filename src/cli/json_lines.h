#pragma once
// JSON lines in on standard input, JSON lines out on standard output, in order: how scripts talk to the program.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace agro {

/// Reads JSON objects, one a line, from a file descriptor.
class JsonLineReader {
 public:
  /// `input` stays the caller's; `name` is what errors call it.
  JsonLineReader(int input, std::string name) : input_(input), name_(std::move(name)) {}

  /// The object on the next line that is not blank; waits for it. None at the end of the input.
  /// Throws Error naming the line where it is not a JSON object, is nested deeper than 64 levels, or is over 1 GiB
  /// long.
  std::optional<OrderedJson> next();

  /// Whether next() can answer without waiting.
  bool ready();

  /// The line of the last object, numbered from 1, and "NAME: line N".
  int64_t line() const { return line_; }
  std::string place() const;

 private:
  bool read_more();
  bool has_line();  // passes over blank ones

  int input_;
  std::string name_;
  std::string buffer_;
  size_t begin_ = 0;     // of the next line in the buffer
  size_t searched_ = 0;  // no line ends between begin_ and here
  int64_t line_ = 0;
  bool ended_ = false;
};

/// Reads standard input to its end. Each object goes to `accept`; once `limit` were accepted, or no further line is
/// waiting, `answer` returns their answers, one each and in order, which are written at once. After a bad line (or an
/// Error of `accept`, to which the line is added) the ones before it are still answered.
void answer_in_batches(size_t limit, const std::function<void(const OrderedJson& record, int64_t line)>& accept,
                       const std::function<std::vector<OrderedJson>()>& answer);

/// The same, line by line.
void answer_lines(const std::function<OrderedJson(const OrderedJson& record, int64_t line)>& answer);

}  // namespace agro
