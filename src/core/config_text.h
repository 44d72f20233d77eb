#pragma once
// How the config reader, writer and reference document spell values and keys. Private to core/config_*.cpp.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"

namespace agro::detail {

/// TOML literals that parse back to the same value; numbers in the fewest digits that do.
std::string toml_literal(bool value);
std::string toml_literal(int64_t value);
std::string toml_literal(double value);
std::string toml_literal(const std::string& value);
std::string toml_literal(const std::vector<std::string>& values);
std::string toml_literal(const std::vector<int64_t>& values);

/// "between 0 and 1", "at least 0", "at most 1", or "" where every number is allowed.
std::string allowed_text(Range range);
/// "one of a, b, c", or "".
std::string allowed_text(const Choices& choices);

/// `path` and `name` joined by a dot; just `name` at the top level.
std::string join_key(std::string_view path, std::string_view name);

struct ConfigKey {
  std::string name, type, default_text, allowed, help;
};

struct ConfigSection {
  std::string path;     // as in --set: "objective", "rewards.0", "" for the top level
  std::string heading;  // as in a file: "[objective]", "[[rewards]]", "" for the top level
  std::string help;
  std::vector<ConfigKey> keys;
};

/// Every section in the order of visiting. Gives empty lists one item, so visit a copy.
std::vector<ConfigSection> list_sections(const VisitConfig& visit);

}  // namespace agro::detail
