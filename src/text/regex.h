#pragma once
// Regular expressions of tokenizer.json: written for Oniguruma (what HF tokenizers use), run by PCRE2.
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct pcre2_real_code_8;
struct pcre2_real_match_context_8;

namespace agro {

/// A half-open range of bytes.
struct TextRange {
  size_t begin = 0;
  size_t end = 0;
  bool operator==(const TextRange&) const = default;
};

/// Compiled once; find_all may run in several threads at a time.
class Regex {
 public:
  enum class Kind { kPattern, kLiteral };

  /// Throws Error for a pattern that is malformed or whose meaning cannot be carried over to PCRE2.
  explicit Regex(std::string_view pattern, Kind kind = Kind::kPattern);

  /// The matches in valid UTF-8 from left to right, without overlap; an empty match right after another one is passed
  /// over. Throws Error if the search exceeds its step limit.
  std::vector<TextRange> find_all(std::string_view text) const;

 private:
  struct Free {
    void operator()(pcre2_real_code_8* code) const;
    void operator()(pcre2_real_match_context_8* context) const;
  };
  std::unique_ptr<pcre2_real_code_8, Free> code_;
  std::unique_ptr<pcre2_real_match_context_8, Free> limits_;
};

}  // namespace agro
