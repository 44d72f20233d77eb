#pragma once
// CRC-32C (Castagnoli), the checksum of TensorBoard's record files.
#include <cstdint>
#include <string_view>

namespace agro {

/// Reflected polynomial 0x1EDC6F41, initial value and final xor all ones: crc32c("123456789") = 0xE3069283.
uint32_t crc32c(std::string_view bytes);

/// The masked form that TFRecord stores (rotated right by 15, plus a constant), so that a CRC over data holding CRCs is
/// sound.
uint32_t masked_crc32c(std::string_view bytes);

}  // namespace agro
