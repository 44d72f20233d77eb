#include "text/oniguruma.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/error.h"

namespace agro {
namespace {

/// PCRE2 takes \p{Han} for script *extensions*, Oniguruma for the script.
bool is_script(std::string_view name) {
  int error = 0;
  size_t where = 0;
  const std::string probe = fmt::format("\\p{{sc:{}}}", name);
  pcre2_code* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(probe.data()), probe.size(), PCRE2_UTF, &error, &where, nullptr);
  pcre2_code_free(code);
  return code != nullptr;
}

class Translator {
 public:
  explicit Translator(std::string_view pattern) : rest_(pattern) {}

  std::string translate() {
    while (!rest_.empty()) {
      const char c = take();
      if (c == '\\') {
        escape();
      } else if (c == '[') {
        open_class();
      } else if (c == ']' && depth_ > 0) {
        if (--depth_ == 0) out_ += ']';
      } else if (c == '&' && depth_ > 0 && rest_.starts_with('&')) {
        throw fail("class intersection && is not supported");
      } else {
        out_ += c;
      }
    }
    return std::move(out_);
  }

 private:
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  void open_class() {
    if (depth_ > 0 && rest_.starts_with(':')) {  // [:alpha:]
      const size_t end = rest_.find(":]");
      if (end == rest_.npos) throw fail("'[:' without ':]'");
      out_ += '[';
      out_ += rest_.substr(0, end + 2);
      rest_.remove_prefix(end + 2);
      return;
    }
    const bool negated = rest_.starts_with('^');
    if (depth_ > 0 && negated) throw fail("a negated class inside a class is not supported");
    if (depth_++ == 0) out_ += '[';
    if (negated) out_ += take();
    if (rest_.starts_with(']')) {
      out_ += '\\';
      out_ += take();
    }
  }

  void escape() {
    if (rest_.empty()) throw fail("the pattern ends in a backslash");
    const char c = take();
    constexpr std::string_view kWord = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";
    switch (c) {
      case 's':
        out_ += "\\p{White_Space}";
        break;
      case 'S':
        out_ += "\\P{White_Space}";
        break;
      case 'w':
        out_ += depth_ > 0 ? std::string(kWord) : fmt::format("[{}]", kWord);
        break;
      case 'W':
        if (depth_ > 0) throw fail("\\W inside a class is not supported");
        out_ += fmt::format("[^{}]", kWord);
        break;
      case 'h':
      case 'H':
        throw fail("\\{} (a hexadecimal digit in Oniguruma, a blank in PCRE2) is not supported", c);
      case 'p':
      case 'P':
        property(c);
        break;
      default:
        out_ += '\\';
        out_ += c;
    }
  }

  void property(char letter) {
    out_ += '\\';
    out_ += letter;
    const size_t end = rest_.starts_with('{') ? rest_.find('}') : rest_.npos;
    if (end == rest_.npos) return;
    std::string_view name = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    const bool negated = name.starts_with('^');
    if (negated) name.remove_prefix(1);
    const bool is_category = name.size() <= 2;
    out_ += fmt::format("{{{}{}{}}}", negated ? "^" : "", !is_category && is_script(name) ? "sc:" : "", name);
  }

  std::string_view rest_;
  std::string out_;
  int depth_ = 0;
};

}  // namespace

std::string oniguruma_to_pcre2(std::string_view pattern) { return Translator(pattern).translate(); }

}  // namespace agro
