#pragma once
// Comparing words, for "did you mean".
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace agro {

/// Levenshtein distance in bytes. Cost O(|a|·|b|): bound the lengths of what users give.
size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate with the smallest edit distance to `word`, or "" if none is close enough to be a slip of the finger.
std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace agro
