#include "data/fields.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace agro::detail {
namespace {

constexpr int kMaxDepth = 64;
constexpr TokenId kMaxTokenId = std::numeric_limits<int32_t>::max();

bool deeper_than(const Json& value, int levels) {
  if (!value.is_structured()) return false;
  if (levels == 0) return true;
  return std::any_of(value.begin(), value.end(), [&](const Json& child) { return deeper_than(child, levels - 1); });
}

Error wrong_type(const std::string& key, std::string_view expected, const Json& found) {
  return fail("'{}' must be {}, found {}", key, expected, found.type_name());
}

}  // namespace

const Json* find_field(const Json& record, const std::string& key) {
  const auto found = record.find(key);
  return found == record.end() || found->is_null() ? nullptr : &*found;
}

std::optional<std::string> string_field(const Json& record, const std::string& key) {
  const Json* value = find_field(record, key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) throw wrong_type(key, "a string", *value);
  return value->get<std::string>();
}

std::optional<std::string> text_field(const Json& record, const std::string& key) {
  const Json* value = find_field(record, key);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  if (value->is_number()) return value->dump();
  throw wrong_type(key, "a string or a number", *value);
}

std::optional<double> number_field(const Json& record, const std::string& key) {
  const Json* value = find_field(record, key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) throw wrong_type(key, "a number", *value);
  const double number = value->get<double>();
  if (!std::isfinite(number)) throw fail("'{}' must be finite, found {}", key, number);
  return number;
}

TokenIds token_ids(const Json& value, const std::string& name) {
  if (!value.is_array()) throw wrong_type(name, "an array of token ids", value);
  if (value.empty()) throw fail("'{}' must hold at least one token id, found none", name);
  TokenIds ids;
  ids.reserve(value.size());
  for (const Json& element : value) {
    // Unsigned covers every non-negative integer a parser yields; beyond 2^63 a signed read would wrap.
    if (!element.is_number_unsigned() || element.get<uint64_t>() > uint64_t{kMaxTokenId})
      throw fail("'{}' must hold token ids (integers from 0 to {}), found {} at index {}", name, kMaxTokenId,
                 element.is_number() ? element.dump() : std::string(element.type_name()), ids.size());
    ids.push_back(element.get<TokenId>());
  }
  return ids;
}

void check_record(const Json& record) {
  if (!record.is_object()) throw fail("expected a JSON object, found {}", record.type_name());
  if (deeper_than(record, kMaxDepth)) throw fail("is nested deeper than {} levels", kMaxDepth);
}

}  // namespace agro::detail
