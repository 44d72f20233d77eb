#include "model/random_init.h"

#include "core/parallel.h"
#include "core/rng.h"
#include "core/stable_hash.h"
#include "model/model_folder.h"

namespace agro {
namespace {

/// Values depend on the tensor's name and the element's index alone.
Tensor random_tensor(const ParameterSpec& spec, const RandomInit& init) {
  Tensor tensor = torch::empty(spec.shape, torch::kFloat32);
  if (spec.shape.size() == 1) return tensor.fill_(spec.name.ends_with("bias") ? 0.0 : 1.0);
  auto* out = write_pointer<float>(tensor);
  const uint64_t name = fnv1a(spec.name);
  constexpr int64_t kBlock = 1 << 14;
  parallel_for((tensor.numel() + kBlock - 1) / kBlock, [&](int64_t block) {
    for (int64_t i = block * kBlock; i < std::min(tensor.numel(), (block + 1) * kBlock); ++i) {
      const DrawKey key{init.seed, Stream::kInit, name, static_cast<uint32_t>(i >> 32), static_cast<uint32_t>(i)};
      out[i] = static_cast<float>(init.standard_deviation * normal(key));
    }
  });
  return tensor;
}

}  // namespace

void write_random_weights(const Path& folder, const RandomInit& init) {
  for (const char* file : {"model.safetensors", "model.safetensors.index.json"})
    if (std::filesystem::exists(folder / file)) throw fail("already has weights ({})", file).at(folder.string());
  const ModelConfig config = load_model_config(folder);
  const Dtype dtype = config.torch_dtype.value_or(Dtype::kF32);
  std::vector<TensorToWrite> tensors;
  for (const ParameterSpec& spec : expected_parameters(config))
    tensors.push_back({spec.name, dtype, spec.shape, [spec, init, dtype](const ByteSink& sink) {
                         to_write(spec.name, random_tensor(spec, init), dtype).produce(sink);
                       }});
  write_safetensors(folder / "model.safetensors", tensors);
}

}  // namespace agro
