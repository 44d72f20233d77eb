#pragma once
// Messages to the person at the screen. They go to standard error; standard output is for results.
#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace agro {

void log_info_text(std::string_view text);
void log_warning_text(std::string_view text);

/// `area` is one word: "data", "model", "train".
template <class... Args>
void log_info(std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
  log_info_text(fmt::format("[{}] {}", area, fmt::format(format, std::forward<Args>(args)...)));
}
template <class... Args>
void log_warning(std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
  log_warning_text(fmt::format("[{}] {}", area, fmt::format(format, std::forward<Args>(args)...)));
}

/// Silences log_info (warnings stay): for --quiet and for windows used by scripts.
void set_quiet(bool quiet);

}  // namespace agro
