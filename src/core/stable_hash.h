#pragma once
// Hashes that are equal on every machine and in every version of the program, which std::hash does not promise.
#include <cstdint>
#include <string_view>

namespace agro {

/// FNV-1a, 64 bits.
inline uint64_t fnv1a(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

/// The same with a final mix, for those who look at some of the bits only.
inline uint64_t stable_hash(std::string_view text) {
  uint64_t hash = fnv1a(text);
  hash ^= hash >> 32;
  return hash * 0x9e3779b97f4a7c15;
}

}  // namespace agro
