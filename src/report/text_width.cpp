#include "report/text_width.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace agro {
namespace {

struct CodePoint {
  char32_t value = 0;
  size_t bytes = 1;
};

/// The code point at the start of `text` (not empty); a byte that starts none is taken alone.
CodePoint first_code_point(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  const size_t length = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 1;
  if (length == 1 || text.size() < length) return {lead, 1};
  char32_t value = lead & (0x7FU >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {lead, 1};
    value = value << 6 | (byte(i) & 0x3F);
  }
  return {value, length};
}

struct Block {
  char32_t first, last;
  bool contains(char32_t c) const { return first <= c && c <= last; }
};

// Whole blocks are enough for names and figures; a rare character inside one that is narrow costs a column of padding.
constexpr std::array kZeroWidth = {Block{0x0300, 0x036F}, Block{0x200B, 0x200F}, Block{0x20D0, 0x20FF},
                                   Block{0xFE00, 0xFE0F}, Block{0xFE20, 0xFE2F}};
constexpr std::array kDoubleWidth = {Block{0x1100, 0x115F},   Block{0x2E80, 0xA4CF},   Block{0xAC00, 0xD7A3},
                                     Block{0xF900, 0xFAFF},   Block{0xFE30, 0xFE6F},   Block{0xFF00, 0xFF60},
                                     Block{0xFFE0, 0xFFE6},   Block{0x1F300, 0x1F64F}, Block{0x1F680, 0x1F6FF},
                                     Block{0x1F900, 0x1FAFF}, Block{0x20000, 0x3FFFD}};

size_t columns_of(char32_t c) {
  const auto holds = [c](const Block& block) { return block.contains(c); };
  if (std::any_of(kZeroWidth.begin(), kZeroWidth.end(), holds)) return 0;
  return std::any_of(kDoubleWidth.begin(), kDoubleWidth.end(), holds) ? 2 : 1;
}

}  // namespace

size_t display_width(std::string_view text) {
  size_t columns = 0;
  while (!text.empty()) {
    const CodePoint c = first_code_point(text);
    columns += columns_of(c.value);
    text.remove_prefix(c.bytes);
  }
  return columns;
}

std::string cut_to_width(std::string_view text, size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns == 0) return "";
  size_t used = 1;  // the ellipsis
  size_t bytes = 0;
  while (bytes < text.size()) {
    const CodePoint c = first_code_point(text.substr(bytes));
    used += columns_of(c.value);
    if (used > columns) break;
    bytes += c.bytes;
  }
  return std::string(text.substr(0, bytes)) + "…";
}

}  // namespace agro
