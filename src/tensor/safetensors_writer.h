#pragma once
// Writes a safetensors file as a stream: tensors are asked for their bytes one at a time, so a model is never held
// twice.
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tensor/safetensors.h"

namespace agro {

/// Takes the next bytes of a tensor.
using ByteSink = std::function<void(std::span<const std::byte>)>;

/// A tensor about to be written. `produce` is called once and passes the tensor's bytes (row-major, little-endian) to
/// the sink, in as many pieces as it likes.
struct TensorToWrite {
  std::string name;
  Dtype dtype = Dtype::kF32;
  std::vector<int64_t> shape;
  std::function<void(const ByteSink& sink)> produce;
};

/// A tensor whose bytes already lie somewhere; they must outlive the write.
TensorToWrite to_write(std::string name, const TensorView& view);

/// Writes tensors in the given order, replacing `path` atomically. A file read by SafetensorsFile and written in the
/// order of its names() has the bytes of HF's own serialisation.
/// Throws Error for a repeated or reserved name, a wrong number of produced bytes, or a failed write; `path` then
/// keeps its old content.
void write_safetensors(const Path& path, const std::vector<TensorToWrite>& tensors,
                       const SafetensorsMetadata& metadata = {{"format", "pt"}});

}  // namespace agro
