#pragma once
// What is in a model folder and what training it takes, without loading it.
#include <map>

#include "core/json.h"
#include "model/config.h"

namespace agro {

constexpr int64_t kExampleRank = 16;  // of the adapters that a report takes as an example

struct ModelFacts {
  ModelConfig config;
  int64_t parameters = 0;              // a tied output layer counts once
  std::map<Dtype, int64_t> stored_as;  // of them, by dtype in the files; empty for a folder without weights
  int64_t bytes_on_disk = 0;           // of the weight files
  int64_t files = 0;
  int64_t reference_bytes = 0;              // a frozen copy as WeightDtype::kSame holds it
  int64_t adapter_parameters_per_rank = 0;  // of LoRA on all linear layers of the blocks: Σ (in + out)

  bool has_weights() const { return files > 0; }

  /// float32 weights, gradients and both of AdamW's moments.
  int64_t trainable_bytes() const { return 4 * 4 * parameters; }
  int64_t training_bytes() const { return trainable_bytes() + reference_bytes; }
  /// The same under LoRA: adapters in place of the weights, which are frozen and their own reference.
  int64_t lora_training_bytes(int64_t rank) const {
    return 4 * 4 * rank * adapter_parameters_per_rank + reference_bytes;
  }
  /// What the layers keep of one token between forward and backward pass: everything, or their input (train.recompute).
  int64_t activation_bytes_per_token(bool recompute) const;
  /// Float32 keys and values of one token in all layers.
  int64_t kv_cache_bytes_per_token() const;
};

/// Reads config.json and the headers of the weights, if there are weights; matrices of a folder without are taken to be
/// of its torch_dtype. Throws Error as load_model_config, SafetensorsFolder and match_parameters do.
ModelFacts read_model_facts(const Path& folder);

OrderedJson to_json(const ModelFacts& facts);

}  // namespace agro
