#pragma once
// UTF-8 and the few Unicode facts a tokenizer needs. Text inside this room is valid UTF-8; to_valid_utf8 makes it so.
#include <cstddef>
#include <string>
#include <string_view>

namespace agro {

/// One code point, or one ill-formed stretch (`valid` false), and the bytes it takes.
struct Utf8Step {
  char32_t code = 0xFFFD;
  size_t length = 1;
  bool valid = false;
};

/// Decodes the start of non-empty `text`. An ill-formed stretch is as long as Unicode's "maximal subpart"
/// (chapter 3.9), which is what Rust's from_utf8_lossy and Python's errors="replace" turn into one U+FFFD.
Utf8Step first_code_point(std::string_view text);

/// The last code point of non-empty valid UTF-8.
char32_t last_code_point(std::string_view text);

bool is_valid_utf8(std::string_view text);

/// `text` with every ill-formed stretch replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };

/// The Unicode normal form of valid UTF-8 (NUL characters included). Throws Error if the library refuses the text.
std::string normalize(std::string_view text, NormalForm form);

/// Unicode's White_Space property.
bool is_white_space(char32_t code);

/// What \w means in Rust's regex crate (UTS #18, annex C): Alphabetic, marks, decimal digits, connectors, joiners.
bool is_word_character(char32_t code);

}  // namespace agro
