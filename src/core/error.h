#pragma once
// The one exception type of the program: what went wrong, where, and what would help.
#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace agro {

/// Thrown by every library function on bad input or a failed operation.
/// what() reads "WHERE: MESSAGE" (plus "\n  hint: HINT" where one was given). Library code never prints, aborts or
/// exits.
class Error : public std::exception {
 public:
  explicit Error(std::string message) : message_(std::move(message)) { compose(); }

  /// Adds the place, outermost last: Error("bad dtype").at("tensor 'x'").at("model.safetensors") reads
  /// "model.safetensors: tensor 'x': bad dtype".
  Error& at(std::string_view place) & {
    where_ = where_.empty() ? std::string(place) : fmt::format("{}: {}", place, where_);
    compose();
    return *this;
  }
  Error&& at(std::string_view place) && { return std::move(at(place)); }

  /// Adds one sentence that says what the user can do.
  Error& hint(std::string_view text) & {
    hint_ = text;
    compose();
    return *this;
  }
  Error&& hint(std::string_view text) && { return std::move(hint(text)); }

  const char* what() const noexcept override { return text_.c_str(); }
  const std::string& message() const noexcept { return message_; }

 private:
  void compose() {
    text_ = where_.empty() ? message_ : fmt::format("{}: {}", where_, message_);
    if (!hint_.empty()) text_ += fmt::format("\n  hint: {}", hint_);
  }
  std::string message_, where_, hint_, text_;
};

/// Error with a formatted message: throw fail("expected {} rows, found {}", a, b).at(path);
template <class... Args>
Error fail(fmt::format_string<Args...> format, Args&&... args) {
  return Error(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace agro
