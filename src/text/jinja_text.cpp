#include "text/jinja_text.h"

#include <utf8proc.h>

#include <algorithm>
#include <utility>

namespace agro::detail::jinja {
namespace {

struct CodePoint {
  int32_t value;  // -1 for an invalid byte
  size_t size;
};

CodePoint first_code_point(std::string_view text) {
  utf8proc_int32_t value = -1;
  const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), std::ssize(text), &value);
  return size > 0 ? CodePoint{value, static_cast<size_t>(size)} : CodePoint{-1, 1};
}

CodePoint last_code_point(std::string_view text) {
  for (size_t size = 1; size <= std::min<size_t>(4, text.size()); ++size) {
    const CodePoint candidate = first_code_point(text.substr(text.size() - size));
    if (candidate.value >= 0 && candidate.size == size) return candidate;
  }
  return {-1, 1};
}

// str.isspace: Unicode's White_Space and the four ASCII separators.
bool is_space(int32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_line_end(int32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool is_letter(int32_t c) {
  const auto category = utf8proc_category(c);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

template <class Function>
void for_each_code_point(std::string_view text, Function&& visit) {
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = first_code_point(text.substr(at));
    visit(c.value, text.substr(at, c.size));
    at += c.size;
  }
}

// `map(code point)` is appended for valid code points; invalid bytes are kept.
template <class Function>
std::string map_code_points(std::string_view text, Function&& map) {
  std::string result;
  result.reserve(text.size());
  for_each_code_point(text, [&](int32_t value, std::string_view bytes) {
    if (value < 0) {
      result += bytes;
    } else {
      append_code_point(result, static_cast<uint32_t>(map(value)));
    }
  });
  return result;
}

// The pieces of a split, each paid for before it is stored.
class Parts {
 public:
  Parts(std::string_view text, Meter& meter) : meter_(meter) { meter_.spend(text.size()); }
  void add(std::string_view part) {
    meter_.spend(part.size() + Meter::kStep);
    parts_.emplace_back(part);
  }
  int64_t cuts() const { return std::ssize(parts_); }
  std::vector<std::string> forward() && { return std::move(parts_); }
  std::vector<std::string> backward() && {
    std::ranges::reverse(parts_);
    return std::move(parts_);
  }

 private:
  Meter& meter_;
  std::vector<std::string> parts_;
};

std::vector<std::string> split_whitespace(std::string_view text, int64_t limit, Meter& meter) {
  Parts parts(text, meter);
  for (text = strip(text, Side::left); !text.empty(); text = strip(text, Side::left)) {
    if (parts.cuts() == limit) {
      parts.add(text);
      break;
    }
    size_t end = 0;
    while (end < text.size()) {
      const CodePoint c = first_code_point(text.substr(end));
      if (is_space(c.value)) break;
      end += c.size;
    }
    parts.add(text.substr(0, end));
    text.remove_prefix(end);
  }
  return std::move(parts).forward();
}

std::vector<std::string> split_whitespace_from_right(std::string_view text, int64_t limit, Meter& meter) {
  Parts parts(text, meter);
  for (text = strip(text, Side::right); !text.empty(); text = strip(text, Side::right)) {
    if (parts.cuts() == limit) {
      parts.add(text);
      break;
    }
    size_t begin = text.size();
    while (begin > 0) {
      const CodePoint c = last_code_point(text.substr(0, begin));
      if (is_space(c.value)) break;
      begin -= c.size;
    }
    parts.add(text.substr(begin));
    text = text.substr(0, begin);
  }
  return std::move(parts).backward();
}

void require_separator(std::string_view separator) {
  if (separator.empty()) throw fail("empty separator");
}

}  // namespace

std::vector<size_t> boundaries(std::string_view text) {
  std::vector<size_t> offsets{0};
  for_each_code_point(text, [&](int32_t, std::string_view bytes) { offsets.push_back(offsets.back() + bytes.size()); });
  return offsets;
}

size_t count_code_points(std::string_view text) {
  size_t count = 0;
  for_each_code_point(text, [&](int32_t, std::string_view) { ++count; });
  return count;
}

std::string_view strip(std::string_view text, Side side, std::optional<std::string_view> characters) {
  const auto removable = [&](CodePoint c, std::string_view bytes) {
    return characters ? characters->find(bytes) != std::string_view::npos : is_space(c.value);
  };
  while (side != Side::right && !text.empty()) {
    const CodePoint c = first_code_point(text);
    if (!removable(c, text.substr(0, c.size))) break;
    text.remove_prefix(c.size);
  }
  while (side != Side::left && !text.empty()) {
    const CodePoint c = last_code_point(text);
    if (!removable(c, text.substr(text.size() - c.size))) break;
    text.remove_suffix(c.size);
  }
  return text;
}

std::vector<std::string> split(std::string_view text, std::optional<std::string_view> separator, int64_t limit,
                               Meter& meter) {
  if (!separator) return split_whitespace(text, limit, meter);
  require_separator(*separator);
  Parts parts(text, meter);
  while (parts.cuts() != limit) {
    const size_t end = text.find(*separator);
    if (end == std::string_view::npos) break;
    parts.add(text.substr(0, end));
    text.remove_prefix(end + separator->size());
  }
  parts.add(text);
  return std::move(parts).forward();
}

std::vector<std::string> split_from_right(std::string_view text, std::optional<std::string_view> separator,
                                          int64_t limit, Meter& meter) {
  if (!separator) return split_whitespace_from_right(text, limit, meter);
  require_separator(*separator);
  Parts parts(text, meter);
  while (parts.cuts() != limit) {
    const size_t begin = text.rfind(*separator);
    if (begin == std::string_view::npos) break;
    parts.add(text.substr(begin + separator->size()));
    text = text.substr(0, begin);
  }
  parts.add(text);
  return std::move(parts).backward();
}

std::vector<std::string> split_lines(std::string_view text, Meter& meter) {
  Parts lines(text, meter);
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = first_code_point(text.substr(at));
    if (is_line_end(c.value)) {
      lines.add(text.substr(begin, at - begin));
      begin = at + (text.substr(at).starts_with("\r\n") ? 2 : c.size);
      at = begin;
    } else {
      at += c.size;
    }
  }
  if (begin < text.size()) lines.add(text.substr(begin));
  return std::move(lines).forward();
}

std::string replace(std::string_view text, std::string_view from, std::string_view to, int64_t limit, Meter& meter) {
  meter.spend(text.size());
  std::string result;
  for (int64_t count = 0; count != limit; ++count) {
    size_t found = text.find(from);
    if (found == std::string_view::npos) break;
    meter.spend(to.size() + 1);
    if (from.empty()) {  // Python inserts before every code point and at the end
      result += to;
      if (text.empty()) return result;
      found = first_code_point(text).size;
      result += text.substr(0, found);
    } else {
      result.append(text.substr(0, found)).append(to);
    }
    text.remove_prefix(found + from.size());
  }
  return result.append(text);
}

std::string upper(std::string_view text) { return map_code_points(text, utf8proc_toupper); }
std::string lower(std::string_view text) { return map_code_points(text, utf8proc_tolower); }

std::string capitalize(std::string_view text) {
  bool first = true;
  return map_code_points(
      text, [&](int32_t c) { return std::exchange(first, false) ? utf8proc_totitle(c) : utf8proc_tolower(c); });
}

std::string title(std::string_view text) {
  bool inside_word = false;
  return map_code_points(text, [&](int32_t c) {
    const bool continues = std::exchange(inside_word, is_letter(c));
    return continues ? utf8proc_tolower(c) : utf8proc_totitle(c);
  });
}

bool is_scalar_value(uint32_t code_point) {
  return code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF);
}

void append_code_point(std::string& text, uint32_t code_point) {
  utf8proc_uint8_t bytes[4];
  const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code_point), bytes);
  text.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
}

}  // namespace agro::detail::jinja
