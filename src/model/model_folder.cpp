#include "model/model_folder.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>

namespace agro {
namespace {

at::ScalarType scalar_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF64:
      return at::kDouble;
    case Dtype::kF32:
      return at::kFloat;
    case Dtype::kF16:
      return at::kHalf;
    case Dtype::kBF16:
      return at::kBFloat16;
    default:
      throw fail("weights of type {} are not supported", name_of(dtype)).hint("supported: F64, F32, F16, BF16");
  }
}

at::ScalarType target_type(WeightDtype wanted, const TensorView& view) {
  if (wanted == WeightDtype::kFloat64) return at::kDouble;
  const bool matrix = view.shape.size() >= 2;
  const bool half = wanted == WeightDtype::kBFloat16 || (wanted == WeightDtype::kSame && view.dtype == Dtype::kBF16);
  return matrix && half ? at::kBFloat16 : at::kFloat;
}

StoredShapes shapes_of(const SafetensorsFolder& weights) {
  StoredShapes shapes;
  for (const std::string& name : weights.names()) shapes.emplace(name, weights.get(name).shape);
  return shapes;
}

/// Weights in formats we do not write would be stale beside the new ones.
bool is_other_weight_format(const Path& file) {
  static constexpr std::array<std::string_view, 9> kEndings{".bin",  ".pt",   ".pth",     ".ckpt",       ".h5",
                                                            ".gguf", ".onnx", ".msgpack", ".safetensors"};
  const std::string extension = file.extension().string();
  return std::find(kEndings.begin(), kEndings.end(), extension) != kEndings.end() ||
         file.filename() == "model.safetensors.index.json" || file.filename() == "pytorch_model.bin.index.json";
}

bool aligned(const TensorView& view) { return reinterpret_cast<uintptr_t>(view.bytes.data()) % 2 == 0; }

/// A bfloat16 tensor whose memory is the file's, kept mapped as long as the tensor lives.
Tensor mapped_tensor(const TensorView& view, const std::shared_ptr<const SafetensorsFolder>& owner) {
  auto* bytes = const_cast<std::byte*>(view.bytes.data());
  return torch::from_blob(
      bytes, view.shape, [owner](void*) {}, torch::kBFloat16);
}

}  // namespace

WeightDtype weight_dtype_named(std::string_view name) {
  if (name == "float32") return WeightDtype::kFloat32;
  if (name == "bfloat16") return WeightDtype::kBFloat16;
  if (name == "same") return WeightDtype::kSame;
  throw fail("weight dtype '{}' is not known", name).hint("known: float32, bfloat16, same");
}

Tensor to_tensor(const TensorView& view, at::ScalarType dtype) {
  Tensor raw = torch::empty(view.shape, torch::dtype(scalar_type(view.dtype)));
  std::memcpy(raw.data_ptr(), view.bytes.data(), view.bytes.size());
  return raw.to(dtype);
}

TensorToWrite to_write(const std::string& name, const Tensor& tensor, Dtype dtype) {
  return {name, dtype, tensor.sizes().vec(), [tensor, dtype](const ByteSink& sink) {
            const Tensor converted = tensor.detach().to(torch::kCPU, scalar_type(dtype)).contiguous();
            sink({static_cast<const std::byte*>(converted.data_ptr()), static_cast<size_t>(converted.nbytes())});
          }};
}

ModelFolder::ModelFolder(const Path& folder)
    : path_(folder),
      config_(load_model_config(folder)),
      weights_(std::make_shared<const SafetensorsFolder>(folder)),
      match_(match_parameters(config_, shapes_of(*weights_))) {}

CausalLm ModelFolder::load(WeightDtype dtype) const {
  std::unordered_map<std::string, std::string> stored;
  for (const auto& parameter : match_.parameters) stored.emplace(parameter.spec.name, parameter.stored_name);
  CausalLm model(config_, [&](const std::string& name) {
    const TensorView& view = weights_->get(stored.at(name));
    const at::ScalarType type = target_type(dtype, view);
    if (type == at::kBFloat16 && view.dtype == Dtype::kBF16 && aligned(view)) return mapped_tensor(view, weights_);
    return to_tensor(view, type);
  });
  forget_pages();
  return model;
}

void ModelFolder::write(const Path& destination, const CausalLm& model) const {
  replace_folder_atomically(destination, [&](const Path& folder) { write_into(folder, model); });
}

bool ModelFolder::stores_float32() const {
  return std::all_of(match_.parameters.begin(), match_.parameters.end(),
                     [&](const auto& parameter) { return weights_->get(parameter.stored_name).dtype == Dtype::kF32; });
}

void ModelFolder::write_into(const Path& folder, const CausalLm& model) const {
  std::unordered_map<std::string, NamedTensor> by_name, to_store;
  for (const NamedTensor& parameter : model.parameters()) by_name.emplace(parameter.name, parameter);
  for (const auto& parameter : match_.parameters)
    to_store.emplace(parameter.stored_name, by_name.at(parameter.spec.name));
  for (const std::string& copy : match_.tied_copies)
    to_store.emplace(copy, by_name.at(std::string(embedding_weight_name(config_))));

  for (const auto& entry : std::filesystem::directory_iterator(path_))
    if (entry.is_regular_file() && !is_other_weight_format(entry.path())) {
      // The copy is ours to replace later, whatever the source's permissions were.
      write_atomically(folder / entry.path().filename(), read_file(entry.path()));
    }
  write_safetensors_folder(folder, weights_->layout(), [&](const std::string& name) {
    const TensorView& view = weights_->get(name);
    const auto found = to_store.find(name);
    if (found == to_store.end()) return agro::to_write(name, view);
    // Merged when its turn comes, so that one merged weight is held at a time.
    TensorToWrite stored{name, view.dtype, view.shape, {}};
    stored.produce = [this, &model, parameter = found->second, dtype = view.dtype](const ByteSink& sink) {
      agro::to_write(parameter.name, model.merged_parameter(parameter), dtype).produce(sink);
      forget_pages();  // of a frozen weight that lies in the file
    };
    return stored;
  });
}

}  // namespace agro
