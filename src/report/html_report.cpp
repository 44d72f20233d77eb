#include "report/html_report.h"

#include <array>
#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "report/embedded.h"

namespace agro {
namespace {

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) bits = bits << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (size_t k = 0; k < 4; ++k) text += k <= count ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::string_view file(std::string_view name) {
  const std::string_view bytes = embedded_file(name);
  if (bytes.empty()) throw fail("the program carries no page file '{}'", name);
  return bytes;
}

/// KaTeX names each font in three formats, as files beside its style sheet; the page holds the woff2 ones itself.
std::string with_fonts(std::string_view css) {
  constexpr std::string_view kBefore = "src:url(fonts/", kAfter = ".woff2)";
  std::string text;
  for (size_t place = 0;;) {
    const size_t begin = css.find(kBefore, place), name = begin + kBefore.size();
    if (begin == std::string_view::npos) return text += css.substr(place);
    const size_t end = css.find(kAfter, name);
    if (end == std::string_view::npos) throw Error("a font of the page's style sheet has no woff2 file");
    text += css.substr(place, begin - place);
    const std::string_view font = file(css.substr(name, end - name + kAfter.size() - 1));
    text += "src:url(data:font/woff2;base64," + base64(font) + ") format('woff2')";
    place = css.find_first_of(";}", end);
  }
}

/// JSON in which no "<" is left: neither "</script" nor "<!--" can stand in it.
std::string script_safe(const OrderedJson& data) {
  std::string text;
  for (const char c : data.dump(-1, ' ', false, OrderedJson::error_handler_t::replace))
    c == '<' ? text += "\\u003c" : text += c;
  return text;
}

}  // namespace

std::string report_page(const OrderedJson& data) {
  constexpr std::string_view kOpen = "{{", kClose = "}}";
  const std::string_view page = file("page.html");
  std::string text;
  for (size_t place = 0;;) {
    const size_t begin = page.find(kOpen, place);
    if (begin == std::string_view::npos) return text += page.substr(place);
    const size_t end = page.find(kClose, begin);
    if (end == std::string_view::npos) throw Error("page.html: an unfinished '{{'");
    text += page.substr(place, begin - place);
    const std::string_view name = page.substr(begin + kOpen.size(), end - begin - kOpen.size());
    if (name == "data")
      text += script_safe(data);
    else if (name == "katex.css")
      text += with_fonts(file(name));
    else
      text += file(name);
    place = end + kClose.size();
  }
}

}  // namespace agro
