#include <fmt/ranges.h>

#include <array>

#include "tensor/safetensors.h"

namespace agro {
namespace {

struct DtypeEntry {
  Dtype dtype;
  int64_t size;
  std::string_view name;
};

constexpr std::array<DtypeEntry, 10> kDtypes = {{{Dtype::kF64, 8, "F64"},
                                                 {Dtype::kF32, 4, "F32"},
                                                 {Dtype::kF16, 2, "F16"},
                                                 {Dtype::kBF16, 2, "BF16"},
                                                 {Dtype::kI64, 8, "I64"},
                                                 {Dtype::kI32, 4, "I32"},
                                                 {Dtype::kI16, 2, "I16"},
                                                 {Dtype::kI8, 1, "I8"},
                                                 {Dtype::kU8, 1, "U8"},
                                                 {Dtype::kBool, 1, "BOOL"}}};

const DtypeEntry& entry_of(Dtype dtype) {
  for (const DtypeEntry& entry : kDtypes)
    if (entry.dtype == dtype) return entry;
  throw fail("dtype number {} does not exist", static_cast<int>(dtype));
}

}  // namespace

int64_t size_of(Dtype dtype) { return entry_of(dtype).size; }

std::string_view name_of(Dtype dtype) { return entry_of(dtype).name; }

Dtype dtype_of(std::string_view name) {
  std::vector<std::string_view> known;
  for (const DtypeEntry& entry : kDtypes) {
    if (entry.name == name) return entry.dtype;
    known.push_back(entry.name);
  }
  throw fail("dtype '{}' is not supported; supported are {}", name, fmt::join(known, ", "));
}

int64_t byte_count(Dtype dtype, std::span<const int64_t> shape) {
  int64_t bytes = size_of(dtype);
  for (const int64_t size : shape) {
    if (size < 0) throw fail("shape {} has a negative size", shape_text(shape));
    if (__builtin_mul_overflow(bytes, size, &bytes)) throw fail("shape {} is too large", shape_text(shape));
  }
  return bytes;
}

std::string shape_text(std::span<const int64_t> shape) {
  constexpr size_t kShown = 8;
  const auto shown = shape.first(std::min(shape.size(), kShown));
  return fmt::format("[{}{}]", fmt::join(shown, ", "), shape.size() > kShown ? ", …" : "");
}

}  // namespace agro
