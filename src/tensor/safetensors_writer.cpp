#include "tensor/safetensors_writer.h"

#include <unordered_set>

#include "core/json.h"

namespace agro {
namespace {

constexpr size_t kAlignment = 8;  // the data begins at a multiple of this, as HF writes it

std::string quoted(const std::string& text) { return to_line(Json(text)); }

std::string header_text(const std::vector<TensorToWrite>& tensors, const SafetensorsMetadata& metadata) {
  std::string text = "{";
  const auto next = [&] { return text.size() == 1 ? "" : ","; };
  if (!metadata.empty()) {
    text += "\"__metadata__\":{";
    for (size_t i = 0; i < metadata.size(); ++i)
      text += fmt::format("{}{}:{}", i == 0 ? "" : ",", quoted(metadata[i].first), quoted(metadata[i].second));
    text += "}";
  }
  std::unordered_set<std::string> seen = {"__metadata__"};
  int64_t begin = 0;
  for (const TensorToWrite& tensor : tensors) {
    if (!seen.insert(tensor.name).second) throw fail("the name is used twice or reserved").at(tensor.name);
    int64_t end = 0;
    if (__builtin_add_overflow(begin, byte_count(tensor.dtype, tensor.shape), &end))
      throw fail("tensors are too large");
    text += fmt::format("{}{}:{{\"dtype\":\"{}\",\"shape\":{},\"data_offsets\":[{},{}]}}", next(), quoted(tensor.name),
                        name_of(tensor.dtype), Json(tensor.shape).dump(), begin, end);
    begin = end;
  }
  text += "}";
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  return text;
}

void write_length(std::ostream& out, uint64_t length) {
  for (int i = 0; i < 8; ++i) out.put(static_cast<char>(length >> (8 * i) & 0xff));
}

void write_bytes_of(const TensorToWrite& tensor, std::ostream& out) {
  int64_t written = 0;
  tensor.produce([&](std::span<const std::byte> bytes) {
    // A full disk shows here first: do not compute the rest of a large model for nothing.
    if (!out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size())))
      throw fail("cannot write").hint("is the disk full?");
    written += static_cast<int64_t>(bytes.size());
  });
  const int64_t expected = byte_count(tensor.dtype, tensor.shape);
  if (written != expected) throw fail("produced {} bytes, its shape needs {}", written, expected);
}

}  // namespace

TensorToWrite to_write(std::string name, const TensorView& view) {
  return {std::move(name), view.dtype, view.shape, [bytes = view.bytes](const ByteSink& sink) { sink(bytes); }};
}

void write_safetensors(const Path& path, const std::vector<TensorToWrite>& tensors,
                       const SafetensorsMetadata& metadata) {
  write_atomically(path, [&](std::ostream& out) {
    const std::string header = header_text(tensors, metadata);
    write_length(out, header.size());
    out << header;
    for (const TensorToWrite& tensor : tensors) {
      try {
        write_bytes_of(tensor, out);
      } catch (Error& error) {
        throw std::move(error).at(fmt::format("tensor '{}'", tensor.name));
      }
    }
  });
}

}  // namespace agro
