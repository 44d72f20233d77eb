#pragma once
// A HuggingFace model folder: read into a CausalLm, written back with the same files, tensor names and dtypes.
#include <memory>

#include "model/causal_lm.h"
#include "model/parameter_names.h"
#include "tensor/safetensors_folder.h"

namespace agro {

/// What weights become in memory. kSame: bfloat16 where the file says so (sampling and frozen references, half the
/// memory), else float32. Vectors (norms, biases) are always float32, and so are all activations.
enum class WeightDtype { kFloat32, kBFloat16, kSame, kFloat64 };

/// "float32", "bfloat16", "same". Throws Error otherwise.
WeightDtype weight_dtype_named(std::string_view name);

class ModelFolder {
 public:
  /// Reads config.json, maps the weights and checks every name and shape. Throws Error as those do.
  explicit ModelFolder(const Path& folder);

  const Path& path() const { return path_; }
  const ModelConfig& config() const { return config_; }

  /// A new model; each call reads the weights again. bfloat16 weights that stay bfloat16 are not copied: their memory
  /// is the mapped file, which must not be written to, neither in memory nor in place on disk.
  CausalLm load(WeightDtype dtype) const;

  /// Takes what was read of the files out of this process's resident memory, as after CausalLm::pack_weights().
  void forget_pages() const { weights_->forget_pages(); }

  /// Writes `model` to `destination` (replaced atomically): weights under the names, dtypes and shards of this folder,
  /// every other file of it copied (except weights in other formats); low-rank parts are merged. A model that was not
  /// changed is written back bit for bit. Throws Error on a full disk; an old `destination` then survives.
  void write(const Path& destination, const CausalLm& model) const;

  /// The same into a folder that exists and whose atomicity is the caller's business (a checkpoint holds more files).
  void write_into(const Path& folder, const CausalLm& model) const;

  /// Whether the files hold float32 weights only, so that writing a float32 model loses nothing.
  bool stores_float32() const;

 private:
  Path path_;
  ModelConfig config_;
  std::shared_ptr<const SafetensorsFolder> weights_;  // shared with the tensors that lie in it
  ParameterMatch match_;
};

/// The bytes of a stored tensor as a tensor of `dtype`. F64, F32, F16 and BF16 only.
Tensor to_tensor(const TensorView& view, at::ScalarType dtype);

/// A tensor to be written as `dtype`, converted when its turn comes.
TensorToWrite to_write(const std::string& name, const Tensor& tensor, Dtype dtype);

}  // namespace agro
