#pragma once
// How many terminal columns a UTF-8 text takes, and text cut or padded to columns.
#include <cstddef>
#include <string>
#include <string_view>

namespace agro {

/// Columns of a one-line text: 0 for combining marks, 2 for East Asian wide characters and emoji, else 1. Control
/// characters and bytes that are not UTF-8 count 1.
size_t display_width(std::string_view text);

/// The text, or where it is wider than `columns` its beginning with "…" at the end; at most `columns` wide.
std::string cut_to_width(std::string_view text, size_t columns);

}  // namespace agro
