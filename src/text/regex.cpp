#include "text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

#include "core/error.h"
#include "text/oniguruma.h"
#include "text/unicode.h"

namespace agro {
namespace {

constexpr size_t kLongestPattern = 1 << 16;
constexpr uint32_t kMatchLimit = 100'000'000;
constexpr uint32_t kHeapLimitKib = 1 << 18;

PCRE2_SPTR code_units(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

std::string message_of(int code) {
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

struct FreeCompileContext {
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
};
struct FreeMatchData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

pcre2_code* compile(std::string_view pattern, uint32_t options, int& error, size_t& where) {
  const std::unique_ptr<pcre2_compile_context, FreeCompileContext> context(pcre2_compile_context_create(nullptr));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  return pcre2_compile(code_units(pattern), pattern.size(), options, &error, &where, context.get());
}

}  // namespace

void Regex::Free::operator()(pcre2_real_code_8* code) const { pcre2_code_free(code); }
void Regex::Free::operator()(pcre2_real_match_context_8* context) const { pcre2_match_context_free(context); }

Regex::Regex(std::string_view pattern, Kind kind) try {
  if (pattern.size() > kLongestPattern) throw fail("is longer than {} bytes", kLongestPattern);
  const bool literal = kind == Kind::kLiteral;
  const std::string translated = literal ? std::string(pattern) : oniguruma_to_pcre2(pattern);
  // Ruby's syntax, which Oniguruma defaults to: ^ and $ match at every line.
  const uint32_t options =
      literal ? PCRE2_UTF | PCRE2_LITERAL : PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  int error = 0;
  size_t where = 0;
  code_.reset(compile(translated, options, error, where));
  if (code_ == nullptr) throw fail("{} (at byte {} of '{}')", message_of(error), where, translated);
  // Where the platform has no just-in-time compiler, the interpreter gives the same matches.
  pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);
  limits_.reset(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(limits_.get(), kMatchLimit);
  pcre2_set_heap_limit(limits_.get(), kHeapLimitKib);
} catch (Error& error) {
  throw std::move(error).at(fmt::format("regular expression '{}'", pattern.substr(0, 200)));
}

std::vector<TextRange> Regex::find_all(std::string_view text) const {
  const std::unique_ptr<pcre2_match_data, FreeMatchData> data(pcre2_match_data_create(1, nullptr));
  const auto search = [&](size_t from, uint32_t options) {
    return pcre2_match(code_.get(), code_units(text), text.size(), from, options, data.get(), limits_.get());
  };
  std::vector<TextRange> matches;
  for (size_t from = 0; from <= text.size();) {
    int found = search(from, PCRE2_NO_UTF_CHECK);
    // The compiled code has a small fixed stack, the interpreter a large heap.
    if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = search(from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT);
    if (found == PCRE2_ERROR_NOMATCH) break;
    if (found < 0) throw fail("regular expression search failed at byte {} of the text: {}", from, message_of(found));
    const size_t* range = pcre2_get_ovector_pointer(data.get());
    const TextRange match{range[0], range[1]};
    const bool empty_after_match = match.begin == match.end && !matches.empty() && matches.back().end == match.end;
    if (empty_after_match) {
      from += from < text.size() ? first_code_point(text.substr(from)).length : 1;
    } else {
      matches.push_back(match);
      from = match.end;
    }
  }
  return matches;
}

}  // namespace agro
