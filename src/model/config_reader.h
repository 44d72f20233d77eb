#pragma once
// Typed, bounded access to the keys of a HuggingFace config object. A key that is null counts as absent.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace agro::detail {

class ConfigReader {
 public:
  /// Throws Error unless `object` is a JSON object. The object must outlive the reader.
  explicit ConfigReader(const Json& object);

  bool has(const char* key) const;
  const Json& at(const char* key) const { return object_.at(key); }

  /// Throws one Error that names every absent key.
  void require(const std::vector<const char*>& keys) const;

  /// A value between both bounds, or `fallback` (unchecked) if the key is absent. Throws Error with key, range and
  /// value.
  int64_t integer(const char* key, int64_t min, int64_t max, int64_t fallback = 0) const;
  double number(const char* key, double min, double max, double fallback) const;
  bool boolean(const char* key, bool fallback) const;
  std::string word(const char* key, std::string_view fallback) const;

 private:
  const Json& object_;
};

/// A JSON value for an error message, cut to a readable length.
std::string excerpt(const Json& value);

}  // namespace agro::detail
