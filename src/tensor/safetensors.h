#pragma once
// Reads a safetensors file: a mapped file, a validated table of tensors, and views of their bytes. No torch here, so
// that the format can be read, tested and fuzzed on its own.
// Format: https://github.com/huggingface/safetensors#format
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"

namespace agro {

enum class Dtype { kF64, kF32, kF16, kBF16, kI64, kI32, kI16, kI8, kU8, kBool };

/// Bytes per element.
int64_t size_of(Dtype dtype);
/// The name in a safetensors header: "F32", "BF16", "BOOL".
std::string_view name_of(Dtype dtype);
/// Inverse of name_of. Throws Error listing the supported names.
Dtype dtype_of(std::string_view name);

/// Bytes of a dense row-major tensor. Throws Error for a negative size or a product beyond int64.
int64_t byte_count(Dtype dtype, std::span<const int64_t> shape);

/// "[2, 3]"; "[]" for a scalar.
std::string shape_text(std::span<const int64_t> shape);

/// A tensor inside a mapped file: row-major, little-endian, not necessarily aligned to its element size.
/// Valid as long as the file object it came from.
struct TensorView {
  Dtype dtype = Dtype::kF32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
};

/// Free-form text entries of a file ("__metadata__"), in file order. {"format", "pt"} is what HF tools look for.
using SafetensorsMetadata = std::vector<std::pair<std::string, std::string>>;

class SafetensorsFile {
 public:
  /// Maps the file and checks all of it: header length, JSON, dtypes, shapes, and that the tensors cover the data
  /// exactly once. Throws Error with the file, the tensor, and what was expected and found.
  explicit SafetensorsFile(const Path& path);

  const Path& path() const { return path_; }
  /// Tensor names in the order of their data.
  const std::vector<std::string>& names() const { return names_; }
  bool contains(const std::string& name) const { return tensors_.contains(name); }
  /// Throws Error with the most similar names if there is no such tensor.
  const TensorView& get(const std::string& name) const;
  const SafetensorsMetadata& metadata() const { return metadata_; }
  /// Takes the file's pages out of resident memory (core/memory.h).
  void forget_pages() const { agro::forget_pages(file_.bytes()); }

 private:
  Path path_;
  MappedFile file_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, TensorView> tensors_;
  SafetensorsMetadata metadata_;
};

namespace detail {
/// "has no tensor 'x'" with the nearest of `names` as hint.
Error no_such_tensor(const std::string& name, const std::vector<std::string>& names);
}  // namespace detail

}  // namespace agro
