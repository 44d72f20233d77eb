#pragma once
// Checked access to members of untrusted JSON: every error names the key, what was expected and what was found.
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/tokens.h"

namespace agro {

/// The largest vocabulary we are ready to hold, a bound on what a broken or hostile file can make us allocate.
inline constexpr TokenId kMaxTokenId = (1 << 24) - 1;

/// A short rendering for messages: scalars as JSON (long ones cut), "an object", "an array".
std::string describe(const Json& value);

/// A member that must be there. Throws Error if `object` is not an object or lacks `key`.
const Json& required(const Json& object, std::string_view key);

/// nullptr where the member is missing or null. Throws Error if `object` is not an object.
const Json* optional_member(const Json& object, std::string_view key);

std::string required_string(const Json& object, std::string_view key);
const Json& required_array(const Json& object, std::string_view key);
bool optional_bool(const Json& object, std::string_view key, bool fallback);

/// A token id in [0, kMaxTokenId].
TokenId to_token_id(const Json& value);

/// The steps of a section in order: those of {"type": "Sequence", `steps_key`: [...]}, nested sequences unrolled, or
/// the section itself. Throws Error for a section without a type, and for nesting deeper than 16.
std::vector<const Json*> steps_of(const Json& section, std::string_view steps_key);

}  // namespace agro
