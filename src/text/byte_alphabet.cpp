#include "text/byte_alphabet.h"

#include <array>
#include <optional>

#include "text/unicode.h"

namespace agro {
namespace {

struct Alphabet {
  std::array<char32_t, 256> character{};
  std::array<uint8_t, 0x100 + 68> byte{};
  std::array<bool, 0x100 + 68> known{};
};

constexpr bool stands_for_itself(unsigned byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr Alphabet make_alphabet() {
  Alphabet alphabet;
  char32_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char32_t character = stands_for_itself(byte) ? byte : next++;
    alphabet.character[byte] = character;
    alphabet.byte[character] = static_cast<uint8_t>(byte);
    alphabet.known[character] = true;
  }
  return alphabet;
}

constexpr Alphabet kAlphabet = make_alphabet();

std::optional<uint8_t> byte_of(char32_t character) {
  if (character >= kAlphabet.known.size() || !kAlphabet.known[character]) return std::nullopt;
  return kAlphabet.byte[character];
}

}  // namespace

void append_spelled(uint8_t byte, std::string& out) {
  const char32_t character = kAlphabet.character[byte];
  if (character < 0x80) {
    out += static_cast<char>(character);
  } else {
    out += static_cast<char>(0xC0 | (character >> 6));
    out += static_cast<char>(0x80 | (character & 0x3F));
  }
}

std::string spelled(std::string_view bytes) {
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char byte : bytes) append_spelled(static_cast<uint8_t>(byte), out);
  return out;
}

void append_bytes(std::string_view token, std::string& out) {
  const size_t before = out.size();
  for (std::string_view rest = token; !rest.empty();) {
    const Utf8Step step = first_code_point(rest);
    const std::optional<uint8_t> byte = byte_of(step.code);
    if (!byte) {
      out.resize(before);
      out += token;
      return;
    }
    out += static_cast<char>(*byte);
    rest.remove_prefix(step.length);
  }
}

}  // namespace agro
