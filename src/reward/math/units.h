#pragma once
// Units of measure and of counting: which words name the same one.
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace agro {

/// A unit of measure that a word names by itself, "cm" or "hours"; the canonical name ("cm", "hour").
std::optional<std::string_view> find_unit(std::string_view name);

/// One name for all ways to write a unit that is made of known ones: "mile/hour" of "mph", "mi/h" and "miles per hour",
/// "cm^2" of "square centimeters". None where a word is no unit.
std::optional<std::string> canonical_unit(std::string_view written);

constexpr std::array<std::string_view, 7> kCurrencySigns{"$", "£", "€", "¥", "₹", "₽", "₩"};
bool is_currency_sign(std::string_view unit);

/// Whether two units are the same words but for case and plural: "apples", "Apple".
bool same_thing(std::string_view a, std::string_view b);
/// Whether one has all the words of the other, and perhaps more: "red apples", "apples".
bool is_part_of_other(std::string_view a, std::string_view b);

}  // namespace agro
