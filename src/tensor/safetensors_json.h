#pragma once
// JSON from a file nobody vouches for: nesting is bounded, a repeated key is an error, and the order of keys, which the
// parsed value forgets, is reported.
#include <functional>
#include <string>
#include <string_view>

#include "core/json.h"

namespace agro::detail {

/// Parses `text`. Calls `on_key(depth, key)` for every key in order of appearance; keys of the outermost object have
/// depth 1. Throws Error for a syntax error, more than `max_depth` open brackets, or a key given twice in one object.
Json parse_strict_json(std::string_view text, int max_depth,
                       const std::function<void(int depth, const std::string& key)>& on_key);

}  // namespace agro::detail
