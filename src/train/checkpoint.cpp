#include "train/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <set>

namespace agro {
namespace {

constexpr const char* kTensors = "training_state.safetensors";
constexpr const char* kState = "training_state.json";

}  // namespace

Path checkpoint_path(const Path& run, int64_t step) { return run / "checkpoints" / fmt::format("step-{}", step); }

std::vector<int64_t> checkpoint_steps(const Path& run) {
  std::vector<int64_t> steps;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(run / "checkpoints", missing)) {
    const std::string name = entry.path().filename().string();
    int64_t step = 0;
    if (!name.starts_with("step-") || !std::filesystem::exists(entry.path() / kState)) continue;
    if (std::from_chars(name.data() + 5, name.data() + name.size(), step).ptr == name.data() + name.size())
      steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

void write_checkpoint(const Path& run, int64_t step, int64_t keep, const ModelFolder& folder, const CausalLm& model,
                      const AdamW& optimizer, const OrderedJson& state, const std::vector<NamedTensor>& extra) {
  replace_folder_atomically(checkpoint_path(run, step), [&](const Path& target) {
    folder.write_into(target, model);
    // The model files hold the policy's weights already where they are float32.
    std::set<std::string> held;
    if (folder.stores_float32())
      for (const NamedTensor& p : model.parameters()) held.insert("weight." + p.name);
    std::vector<TensorToWrite> tensors;
    for (const NamedTensor& t : optimizer.state())
      if (!held.contains(t.name)) tensors.push_back(to_write(t.name, t.tensor, Dtype::kF32));
    for (const NamedTensor& t : extra) tensors.push_back(to_write(t.name, t.tensor, Dtype::kF32));
    write_safetensors(target / kTensors, tensors);
    OrderedJson record = state;
    record["step"] = step;
    record["optimizer_steps"] = optimizer.steps_done();
    write_atomically(target / kState, record.dump(1) + "\n");
  });
  std::vector<int64_t> steps = checkpoint_steps(run);
  for (size_t i = 0; i + static_cast<size_t>(keep) < steps.size(); ++i)
    std::filesystem::remove_all(checkpoint_path(run, steps[i]));
}

Json read_checkpoint(const Path& run, int64_t step, AdamW& optimizer, const std::vector<NamedTensor>& extra) {
  const Path path = checkpoint_path(run, step);
  const Json state = read_json(path / kState);
  const SafetensorsFile tensors(path / kTensors);
  const SafetensorsFolder weights(path);
  const auto restore = [&](const std::string& name, const TensorView& view, const Tensor& tensor) {
    if (view.shape != tensor.sizes().vec() || view.dtype != Dtype::kF32)
      throw fail("tensor '{}' does not fit the model", name)
          .at(path.string())
          .hint("resume with the model the run began with");
    std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
    tensors.forget_pages(), weights.forget_pages();  // else the checkpoint were resident beside what it fills
  };
  for (const NamedTensor& t : optimizer.state()) {
    if (t.name.starts_with("weight.") && !tensors.contains(t.name)) {
      const std::string name = t.name.substr(std::strlen("weight."));
      // Some GPT-2 files leave the base model's prefix out.
      restore(name, weights.get(weights.contains(name) ? name : name.substr(name.find('.') + 1)), t.tensor);
    } else {
      restore(t.name, tensors.get(t.name), t.tensor);
    }
  }
  for (const NamedTensor& t : extra) {
    restore(t.name, tensors.get(t.name), t.tensor);
    mark_changed(t.tensor);
  }
  optimizer.restore(state.at("optimizer_steps").get<int64_t>());
  return state;
}

}  // namespace agro
