#pragma once
// The weights of a HuggingFace model folder: model.safetensors, or shards listed in model.safetensors.index.json,
// read as one set of tensors and written back with the same division into files.
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "tensor/safetensors.h"
#include "tensor/safetensors_writer.h"

namespace agro {

/// How tensors are divided into files.
struct SafetensorsLayout {
  struct Shard {
    std::string file;                // plain file name
    std::vector<std::string> names;  // in file order
    SafetensorsMetadata metadata;
  };
  std::vector<Shard> shards;
  /// JSON text of the index's "metadata"; absent for a single model.safetensors without an index.
  std::optional<std::string> index_metadata;
};

class SafetensorsFolder {
 public:
  /// Maps and validates every file. A model.safetensors wins over an index, as in HF's loader.
  /// Throws Error if neither exists, if the index and the shards disagree in either direction, or if a shard's name is
  /// not a plain file name.
  explicit SafetensorsFolder(const Path& folder);

  /// Shard by shard, in file order.
  const std::vector<std::string>& names() const { return names_; }
  bool contains(const std::string& name) const { return shard_of_.contains(name); }
  /// Valid as long as this object. Throws Error with the most similar names if there is no such tensor.
  const TensorView& get(const std::string& name) const { return files_[index_of(name)].get(name); }
  /// The file that holds the tensor. Throws as get() does.
  const std::string& shard_of(const std::string& name) const { return layout_.shards[index_of(name)].file; }
  const SafetensorsLayout& layout() const { return layout_; }
  /// As SafetensorsFile::forget_pages, of every file.
  void forget_pages() const {
    for (const SafetensorsFile& file : files_) file.forget_pages();
  }

 private:
  size_t index_of(const std::string& name) const;
  void add_shard(const std::string& file);

  Path folder_;
  std::vector<SafetensorsFile> files_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, size_t> shard_of_;
  SafetensorsLayout layout_;
};

/// Writes the files of `layout` (and the index, if it has one, with total_size brought up to date) into `folder`,
/// asking `tensor_of` for each tensor. Every file is replaced atomically, the index last. Throws Error as
/// write_safetensors does.
void write_safetensors_folder(const Path& folder, const SafetensorsLayout& layout,
                              const std::function<TensorToWrite(const std::string& name)>& tensor_of);

}  // namespace agro
