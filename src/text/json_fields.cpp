#include "text/json_fields.h"

#include "core/error.h"

namespace agro {
namespace {

constexpr int kDeepestSequence = 16;

void unroll(const Json& section, std::string_view steps_key, int depth, std::vector<const Json*>& steps) {
  if (depth > kDeepestSequence) throw fail("sequences are nested deeper than {}", kDeepestSequence);
  if (required_string(section, "type") != "Sequence") {
    steps.push_back(&section);
    return;
  }
  for (const Json& step : required_array(section, steps_key)) unroll(step, steps_key, depth + 1, steps);
}

}  // namespace

std::string describe(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  constexpr size_t kLongest = 60;
  std::string text = to_line(value);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

const Json* optional_member(const Json& object, std::string_view key) {
  if (!object.is_object()) throw fail("expected an object with key '{}', found {}", key, describe(object));
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const Json& required(const Json& object, std::string_view key) {
  const Json* member = optional_member(object, key);
  if (member == nullptr) throw fail("key '{}' is missing or null", key);
  return *member;
}

std::string required_string(const Json& object, std::string_view key) {
  const Json& member = required(object, key);
  if (!member.is_string()) throw fail("key '{}': expected a string, found {}", key, describe(member));
  return member.get<std::string>();
}

const Json& required_array(const Json& object, std::string_view key) {
  const Json& member = required(object, key);
  if (!member.is_array()) throw fail("key '{}': expected an array, found {}", key, describe(member));
  return member;
}

bool optional_bool(const Json& object, std::string_view key, bool fallback) {
  const Json* member = optional_member(object, key);
  if (member == nullptr) return fallback;
  if (!member->is_boolean()) throw fail("key '{}': expected true or false, found {}", key, describe(*member));
  return member->get<bool>();
}

TokenId to_token_id(const Json& value) {
  const TokenId id = value.is_number_integer() ? value.get<TokenId>() : -1;
  if (id < 0 || id > kMaxTokenId)
    throw fail("expected a token id from 0 to {}, found {}", kMaxTokenId, describe(value));
  return id;
}

std::vector<const Json*> steps_of(const Json& section, std::string_view steps_key) {
  std::vector<const Json*> steps;
  unroll(section, steps_key, 0, steps);
  return steps;
}

}  // namespace agro
