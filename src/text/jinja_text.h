#pragma once
// Python's string methods on UTF-8: positions and lengths count code points, whitespace is Unicode's.
// An invalid byte counts as one code point.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja_meter.h"

namespace agro::detail::jinja {

enum class Side { both, left, right };

/// Byte offset of every code point, then the size.
std::vector<size_t> boundaries(std::string_view text);
size_t count_code_points(std::string_view text);

/// Removes whitespace (or any of `characters`) from the ends.
std::string_view strip(std::string_view text, Side side = Side::both,
                       std::optional<std::string_view> characters = std::nullopt);

/// str.split / str.rsplit: by whitespace without `separator`; at most `limit` cuts unless negative. Throws Error on an
/// empty separator.
std::vector<std::string> split(std::string_view text, std::optional<std::string_view> separator, int64_t limit,
                               Meter& meter);
std::vector<std::string> split_from_right(std::string_view text, std::optional<std::string_view> separator,
                                          int64_t limit, Meter& meter);
std::vector<std::string> split_lines(std::string_view text, Meter& meter);

/// str.replace: at most `limit` replacements unless negative.
std::string replace(std::string_view text, std::string_view from, std::string_view to, int64_t limit, Meter& meter);

/// Case by Unicode's one-to-one mappings.
std::string upper(std::string_view text);
std::string lower(std::string_view text);
std::string capitalize(std::string_view text);
std::string title(std::string_view text);

/// Whether UTF-8 can express the code point: neither a surrogate nor above U+10FFFF.
bool is_scalar_value(uint32_t code_point);

/// Appends the UTF-8 of a scalar value.
void append_code_point(std::string& text, uint32_t code_point);

}  // namespace agro::detail::jinja
