#include "core/rng.h"

#include <cmath>
#include <numbers>

namespace agro {
namespace {

std::array<uint32_t, 4> block(const DrawKey& key) {
  // 64 + 32 + 64 + 32 + 32 coordinate bits do not fit counter and key (192), so the stream is mixed into the seed.
  const uint64_t mixed = key.seed * 0x9E3779B97F4A7C15ULL + static_cast<uint64_t>(key.stream) * 0xD1B54A32D192ED03ULL;
  return philox4x32(
      {static_cast<uint32_t>(key.ordinal), static_cast<uint32_t>(key.ordinal >> 32), key.draw, key.position},
      {static_cast<uint32_t>(mixed), static_cast<uint32_t>(mixed >> 32)});
}

double unit_interval(uint32_t high, uint32_t low) {
  const uint64_t bits = (static_cast<uint64_t>(high) << 32 | low) >> 11;
  return static_cast<double>(bits) * 0x1.0p-53;
}

}  // namespace

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53U} * counter[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57U} * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(p1),
               static_cast<uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(p0)};
    key[0] += 0x9E3779B9U;
    key[1] += 0xBB67AE85U;
  }
  return counter;
}

double uniform01(const DrawKey& key) {
  const auto words = block(key);
  return unit_interval(words[0], words[1]);
}

double normal(const DrawKey& key) {
  const auto words = block(key);
  const double u = 1.0 - unit_interval(words[0], words[1]);  // in (0, 1]
  const double v = unit_interval(words[2], words[3]);
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

uint64_t uniform_below(const DrawKey& key, uint64_t bound) {
  return static_cast<uint64_t>(uniform01(key) * static_cast<double>(bound));
}

}  // namespace agro
