#include "tensor/safetensors.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "core/words.h"
#include "tensor/safetensors_json.h"

namespace agro {
namespace {

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the limit of the reference implementation
constexpr int kHeaderDepth = 3;                    // header, tensor, shape
constexpr const char* kMetadataKey = "__metadata__";

/// A header entry: the tensor and the half-open range of its bytes, counted from the end of the header.
struct Entry {
  std::string name;
  Dtype dtype = Dtype::kF32;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;
};

/// The bytes of a file, split.
struct Parts {
  std::string_view header;
  std::span<const std::byte> data;
};

Parts split(std::span<const std::byte> file) {
  if (file.size() < kLengthBytes)
    throw fail("is truncated: a safetensors file starts with {} bytes of header length, this file has {} bytes",
               kLengthBytes, file.size());
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) length |= std::to_integer<uint64_t>(file[i]) << (8 * i);
  if (length > kMaxHeaderBytes)
    throw fail("claims a header of {} bytes; at most {} are allowed", length, kMaxHeaderBytes)
        .hint("is this a safetensors file?");
  if (length > file.size() - kLengthBytes)
    throw fail("claims a header of {} bytes, which ends beyond the file ({} bytes)", length, file.size())
        .hint("the file is truncated or not a safetensors file");
  const auto header = file.subspan(kLengthBytes, length);
  return {{reinterpret_cast<const char*>(header.data()), header.size()}, file.subspan(kLengthBytes + length)};
}

const Json& member(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) throw fail("has no '{}'", key);
  return *found;
}

std::vector<int64_t> parse_shape(const Json& value) {
  if (!value.is_array()) throw fail("'shape' must be a list of sizes, found {}", value.type_name());
  std::vector<int64_t> shape;
  shape.reserve(value.size());
  for (const Json& size : value) {
    if (!size.is_number_unsigned() || size.get<uint64_t>() > INT64_MAX)
      throw fail("'shape' must hold non-negative integers, found {}", size.dump().substr(0, 40));
    shape.push_back(size.get<int64_t>());
  }
  return shape;
}

Entry parse_entry(const std::string& name, const Json& value, uint64_t data_size) {
  if (!value.is_object()) throw fail("must be an object, found {}", value.type_name());
  const Json& dtype = member(value, "dtype");
  if (!dtype.is_string()) throw fail("'dtype' must be a string, found {}", dtype.type_name());
  Entry entry{name, dtype_of(dtype.get_ref<const std::string&>()), parse_shape(member(value, "shape"))};

  const Json& offsets = member(value, "data_offsets");
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned())
    throw fail("'data_offsets' must be two non-negative integers");
  entry.begin = offsets[0].get<uint64_t>();
  entry.end = offsets[1].get<uint64_t>();
  if (entry.begin > entry.end) throw fail("'data_offsets' [{}, {}] end before they begin", entry.begin, entry.end);
  if (entry.end > data_size)
    throw fail("'data_offsets' [{}, {}] end beyond the file's {} bytes of data", entry.begin, entry.end, data_size)
        .hint("the file is truncated; fetch it again");

  const int64_t needed = byte_count(entry.dtype, entry.shape);
  if (entry.end - entry.begin != static_cast<uint64_t>(needed))
    throw fail("shape {} of {} needs {} bytes, 'data_offsets' [{}, {}] give {}", shape_text(entry.shape),
               name_of(entry.dtype), needed, entry.begin, entry.end, entry.end - entry.begin);
  return entry;
}

/// Sorts by position and checks that every byte belongs to exactly one tensor.
void check_coverage(std::vector<Entry>& entries, uint64_t data_size) {
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  uint64_t covered = 0;
  const Entry* previous = nullptr;
  for (const Entry& entry : entries) {
    if (entry.begin < covered)
      throw fail("tensors '{}' [{}, {}] and '{}' [{}, {}] overlap", previous->name, previous->begin, previous->end,
                 entry.name, entry.begin, entry.end);
    if (entry.begin > covered)
      throw fail("bytes {} to {} of the data, before tensor '{}', belong to no tensor", covered, entry.begin,
                 entry.name);
    covered = entry.end;
    previous = &entry;
  }
  if (covered != data_size)
    throw fail("is {} bytes too long: its tensors end at byte {} of {} bytes of data", data_size - covered, covered,
               data_size);
}

SafetensorsMetadata parse_metadata(const Json& value, const std::vector<std::string>& keys) {
  if (!value.is_object()) throw fail("must be an object, found {}", value.type_name());
  SafetensorsMetadata metadata;
  for (const std::string& key : keys) {
    const Json& text = value.at(key);
    if (!text.is_string()) throw fail("'{}' must be a string, found {}", key, text.type_name());
    metadata.emplace_back(key, text.get<std::string>());
  }
  return metadata;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const Path& path) : path_(path), file_(path) {
  try {
    const Parts parts = split(file_.bytes());
    std::vector<std::string> keys, metadata_keys;
    const Json header = [&] {
      try {
        return detail::parse_strict_json(parts.header, kHeaderDepth, [&](int depth, const std::string& key) {
          if (depth == 1) keys.push_back(key);
          if (depth == 2 && !keys.empty() && keys.back() == kMetadataKey) metadata_keys.push_back(key);
        });
      } catch (Error& error) {
        throw std::move(error).at("header");
      }
    }();
    if (!header.is_object()) throw fail("must be a JSON object, found {}", header.type_name()).at("header");

    std::vector<Entry> entries;
    for (const std::string& key : keys) {
      try {
        if (key == kMetadataKey)
          metadata_ = parse_metadata(header.at(key), metadata_keys);
        else
          entries.push_back(parse_entry(key, header.at(key), parts.data.size()));
      } catch (Error& error) {
        throw std::move(error).at(key == kMetadataKey ? key : fmt::format("tensor '{}'", key));
      }
    }
    check_coverage(entries, parts.data.size());
    for (Entry& entry : entries) {
      names_.push_back(entry.name);
      tensors_[entry.name] = {entry.dtype, std::move(entry.shape),
                              parts.data.subspan(entry.begin, entry.end - entry.begin)};
    }
  } catch (Error& error) {
    throw std::move(error).at(path.string());
  }
}

const TensorView& SafetensorsFile::get(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw detail::no_such_tensor(name, names_).at(path_.string());
  return found->second;
}

namespace detail {

Error no_such_tensor(const std::string& name, const std::vector<std::string>& names) {
  constexpr size_t kCompared = 10'000, kLength = 256, kShown = 3;
  std::vector<std::pair<size_t, std::string_view>> ranked;
  for (const std::string& other : std::span(names).first(std::min(names.size(), kCompared)))
    ranked.emplace_back(edit_distance(name.substr(0, kLength), std::string_view(other).substr(0, kLength)), other);
  const size_t shown = std::min(ranked.size(), kShown);
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(shown), ranked.end());
  std::vector<std::string_view> nearest;
  for (size_t i = 0; i < shown; ++i) nearest.push_back(ranked[i].second);
  Error error = fail("has no tensor '{}' among its {} tensors", name, names.size());
  if (!nearest.empty()) error.hint(fmt::format("the most similar names are '{}'", fmt::join(nearest, "', '")));
  return error;
}

}  // namespace detail
}  // namespace agro
