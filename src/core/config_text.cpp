#include "core/config_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace agro::detail {
namespace {

template <class T>
std::string list_literal(const std::vector<T>& values) {
  std::vector<std::string> parts;
  parts.reserve(values.size());
  for (const T& value : values) parts.push_back(toml_literal(value));
  return fmt::format("[{}]", fmt::join(parts, ", "));
}

}  // namespace

std::string toml_literal(bool value) { return value ? "true" : "false"; }
std::string toml_literal(int64_t value) { return fmt::format("{}", value); }

std::string toml_literal(double value) {
  std::string text = fmt::format("{}", value);
  // "1" would read back as an integer.
  if (std::isfinite(value) && text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string toml_literal(const std::string& value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (c == '\n') {
      text += "\\n";
    } else if (const auto byte = static_cast<unsigned char>(c); byte < 0x20 || byte == 0x7F) {
      text += fmt::format("\\u{:04X}", byte);
    } else {
      text += c;
    }
  }
  return text + '"';
}

std::string toml_literal(const std::vector<std::string>& values) { return list_literal(values); }
std::string toml_literal(const std::vector<int64_t>& values) { return list_literal(values); }

std::string allowed_text(Range range) {
  const bool below = std::isfinite(range.min), above = std::isfinite(range.max);
  if (below && above) return fmt::format("between {} and {}", range.min, range.max);
  if (below) return fmt::format("at least {}", range.min);
  if (above) return fmt::format("at most {}", range.max);
  return {};
}

std::string allowed_text(const Choices& choices) {
  return choices.empty() ? std::string() : fmt::format("one of {}", fmt::join(choices, ", "));
}

std::string join_key(std::string_view path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

}  // namespace agro::detail
