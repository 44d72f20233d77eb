#pragma once
// A config source as TOML: the file, or the one key of a `--set`. Private to core/config_*.cpp.
#include <toml++/toml.h>

#include <optional>
#include <string>

namespace agro::detail {

struct ConfigDocument {
  toml::table root;
  std::string name;  // file path, or "--set a.b=c"
  bool is_override = false;
  std::optional<std::string> raw;  // the text of an override's scalar, for fields that are strings

  /// "file:line", or the whole override.
  std::string place(const toml::source_region& where) const;
};

/// Throws Error with file, line and column of a syntax error.
ConfigDocument parse_config_file(const std::string& toml_text, const std::string& name);

/// "section.key=value". A value that is no TOML, and opens no quote or bracket, is a string.
ConfigDocument parse_override(const std::string& text);

}  // namespace agro::detail
