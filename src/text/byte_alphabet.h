#pragma once
// GPT-2's byte alphabet: one printable character for each of the 256 bytes, so that a vocabulary of byte strings can be
// written as text ("Ġthe" is " the"). Printable Latin-1 bytes stand for themselves, the others take U+0100, U+0101, ...
#include <cstdint>
#include <string>
#include <string_view>

namespace agro {

/// Appends the character of `byte` as UTF-8.
void append_spelled(uint8_t byte, std::string& out);

/// The whole byte string in the alphabet.
std::string spelled(std::string_view bytes);

/// Appends the bytes that `token` spells. A token with a character outside the alphabet is appended as it stands, as
/// HF's ByteLevel decoder does.
void append_bytes(std::string_view token, std::string& out);

}  // namespace agro
