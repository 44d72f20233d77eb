#pragma once
// Unicode mathematics written as the ASCII and LaTeX that means the same.
#include <string>
#include <string_view>

namespace agro {

/// Digits of every script become 0-9, the many minus signs "-", "×" "\times", "≤" "\le", "π" "\pi", "½" "\frac{1}{2}",
/// superscripts "^{...}", "√2" "\sqrt{2}", mathematical letters plain ones; spaces become ' '. Code points without
/// such a meaning stay; ill-formed UTF-8 becomes U+FFFD. Linear in the input; ASCII text comes back unchanged.
std::string to_ascii_math(std::string_view text);

}  // namespace agro
