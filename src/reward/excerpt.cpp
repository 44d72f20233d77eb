#include "reward/excerpt.h"

#include <algorithm>

namespace agro {

std::string excerpt(std::string_view text, size_t max_bytes) {
  const bool cut = text.size() > max_bytes;
  if (cut) {
    const auto continues_character = [&](size_t i) { return (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80; };
    while (max_bytes > 0 && continues_character(max_bytes)) --max_bytes;
  }
  std::string line(text.substr(0, max_bytes));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return cut ? line + "..." : line;
}

}  // namespace agro
