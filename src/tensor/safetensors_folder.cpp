#include "tensor/safetensors_folder.h"

#include <map>
#include <set>

#include "tensor/safetensors_json.h"

namespace agro {
namespace {

constexpr const char* kSingleFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";
constexpr int kIndexDepth = 16;  // "metadata" is free-form

using WeightMap = std::map<std::string, std::string>;

struct Index {
  WeightMap shard_of;
  std::string metadata;
};

/// The index comes with the model: a shard name must not reach outside the folder.
void check_plain_name(const std::string& file) {
  const bool plain = !file.empty() && file.find_first_of("/\\") == std::string::npos &&
                     file.ends_with(".safetensors") && file.find('\0') == std::string::npos;
  if (!plain) throw fail("a shard must be a plain file name ending in .safetensors, found '{}'", file);
}

Index read_index(const Path& path) {
  try {
    const Json json = detail::parse_strict_json(read_file(path), kIndexDepth, [](int, const std::string&) {});
    if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object())
      throw fail("has no object 'weight_map'");
    Index index;
    const Json metadata = json.value("metadata", Json::object());
    if (!metadata.is_object()) throw fail("'metadata' must be an object, found {}", metadata.type_name());
    index.metadata = to_line(metadata);
    for (const auto& [name, file] : json["weight_map"].items()) {
      if (!file.is_string())
        throw fail("the file of tensor '{}' must be a string, found {}", name, file.type_name()).at("weight_map");
      index.shard_of[name] = file.get<std::string>();
      check_plain_name(index.shard_of[name]);
    }
    if (index.shard_of.empty()) throw fail("lists no tensors").at("weight_map");
    return index;
  } catch (Error& error) {
    throw std::move(error).at(path.string());
  }
}

/// Every tensor is where the index says, and nothing else is there.
void check_agreement(const WeightMap& listed, const SafetensorsLayout& layout) {
  std::set<std::pair<std::string, std::string>> found;
  for (const auto& shard : layout.shards) {
    for (const std::string& name : shard.names) {
      const auto entry = listed.find(name);
      if (entry == listed.end()) throw fail("does not list tensor '{}', which {} holds", name, shard.file);
      if (entry->second != shard.file)
        throw fail("puts tensor '{}' into {}, but {} holds it too or instead", name, entry->second, shard.file);
      found.emplace(name, shard.file);
    }
  }
  for (const auto& entry : listed)
    if (!found.contains(entry))
      throw fail("puts tensor '{}' into {}, which does not hold it", entry.first, entry.second);
}

Error no_weights(const Path& folder) {
  Error error = fail("has neither {} nor {}", kSingleFile, kIndexFile).at(folder.string());
  if (std::filesystem::exists(folder / "pytorch_model.bin") ||
      std::filesystem::exists(folder / "pytorch_model.bin.index.json"))
    error.hint("pytorch_model.bin files are not read; save the model as safetensors first");
  return error;
}

}  // namespace

SafetensorsFolder::SafetensorsFolder(const Path& folder) : folder_(folder) {
  if (std::filesystem::exists(folder / kSingleFile)) {
    add_shard(kSingleFile);
    return;
  }
  if (!std::filesystem::exists(folder / kIndexFile)) throw no_weights(folder);
  Index index = read_index(folder / kIndexFile);
  std::set<std::string> files;
  for (const auto& [name, file] : index.shard_of) files.insert(file);
  for (const std::string& file : files) add_shard(file);
  try {
    check_agreement(index.shard_of, layout_);
  } catch (Error& error) {
    throw std::move(error).at((folder / kIndexFile).string());
  }
  layout_.index_metadata = std::move(index.metadata);
}

void SafetensorsFolder::add_shard(const std::string& file) {
  const SafetensorsFile& opened = files_.emplace_back(folder_ / file);
  layout_.shards.push_back({file, opened.names(), opened.metadata()});
  for (const std::string& name : opened.names()) {
    shard_of_[name] = files_.size() - 1;
    names_.push_back(name);
  }
}

size_t SafetensorsFolder::index_of(const std::string& name) const {
  const auto found = shard_of_.find(name);
  if (found == shard_of_.end()) throw detail::no_such_tensor(name, names_).at(folder_.string());
  return found->second;
}

void write_safetensors_folder(const Path& folder, const SafetensorsLayout& layout,
                              const std::function<TensorToWrite(const std::string& name)>& tensor_of) {
  WeightMap shard_of;
  int64_t total_size = 0;
  for (const auto& shard : layout.shards) {
    std::vector<TensorToWrite> tensors;
    for (const std::string& name : shard.names) {
      tensors.push_back(tensor_of(name));
      total_size += byte_count(tensors.back().dtype, tensors.back().shape);
      shard_of[name] = shard.file;
    }
    write_safetensors(folder / shard.file, tensors, shard.metadata);
  }
  if (!layout.index_metadata) return;
  Json metadata = Json::parse(*layout.index_metadata);
  metadata["total_size"] = total_size;
  const Json index = {{"metadata", metadata}, {"weight_map", shard_of}};
  write_atomically(folder / kIndexFile, index.dump(2) + "\n");
}

}  // namespace agro
