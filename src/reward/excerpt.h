#pragma once
// The beginning of a text, short enough for an error message.
#include <string>
#include <string_view>

namespace agro {

/// At most `max_bytes` of `text` on one line: control characters become spaces, a cut falls between UTF-8 characters
/// and is marked "...".
std::string excerpt(std::string_view text, size_t max_bytes = 60);

}  // namespace agro
