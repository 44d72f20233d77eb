#include "model/config_reader.h"

#include <fmt/ranges.h>

#include "core/error.h"

namespace agro::detail {

std::string excerpt(const Json& value) {
  constexpr size_t kShown = 60;
  const std::string text = to_line(value);
  return text.size() <= kShown ? text : fmt::format("{}…", std::string_view(text).substr(0, kShown));
}

ConfigReader::ConfigReader(const Json& object) : object_(object) {
  if (!object.is_object()) throw fail("must be a JSON object, found {}", object.type_name());
}

bool ConfigReader::has(const char* key) const {
  const auto found = object_.find(key);
  return found != object_.end() && !found->is_null();
}

void ConfigReader::require(const std::vector<const char*>& keys) const {
  std::vector<std::string_view> missing;
  for (const char* key : keys)
    if (!has(key)) missing.push_back(key);
  if (!missing.empty()) throw fail("lacks '{}'", fmt::join(missing, "', '"));
}

int64_t ConfigReader::integer(const char* key, int64_t min, int64_t max, int64_t fallback) const {
  if (!has(key)) return fallback;
  const Json& value = at(key);
  // Beyond int64 the conversion would wrap into the range.
  const bool fits = value.is_number_integer() && !(value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX);
  if (!fits || value.get<int64_t>() < min || value.get<int64_t>() > max)
    throw fail("'{}' must be an integer between {} and {}, found {}", key, min, max, excerpt(value));
  return value.get<int64_t>();
}

double ConfigReader::number(const char* key, double min, double max, double fallback) const {
  if (!has(key)) return fallback;
  const Json& value = at(key);
  if (!value.is_number() || !(value.get<double>() >= min && value.get<double>() <= max))
    throw fail("'{}' must be a number between {} and {}, found {}", key, min, max, excerpt(value));
  return value.get<double>();
}

bool ConfigReader::boolean(const char* key, bool fallback) const {
  if (!has(key)) return fallback;
  if (!at(key).is_boolean()) throw fail("'{}' must be true or false, found {}", key, excerpt(at(key)));
  return at(key).get<bool>();
}

std::string ConfigReader::word(const char* key, std::string_view fallback) const {
  if (!has(key)) return std::string(fallback);
  if (!at(key).is_string()) throw fail("'{}' must be a string, found {}", key, excerpt(at(key)));
  return at(key).get<std::string>();
}

}  // namespace agro::detail
