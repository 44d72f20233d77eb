#pragma once
// What a HuggingFace config.json says about a causal language model, normalised over the supported families: one
// name per fact, defaults filled in as transformers has them, everything checked. Dropout is never read: it is off.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "core/tokens.h"
#include "tensor/ops/activation_cpu.h"
#include "tensor/safetensors.h"

namespace agro {

enum class ModelFamily { kGpt2, kLlama, kQwen2, kQwen3 };

/// Change of the rotary frequencies for contexts longer than those of pretraining.
struct RopeScaling {
  enum class Kind { kNone, kLinear, kLlama3 };
  Kind kind = Kind::kNone;
  double factor = 1;
  // kLlama3 only: wavelengths above original / low_freq_factor are stretched by `factor`, those below
  // original / high_freq_factor are kept, and between them the two are blended.
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  int64_t original_max_position_embeddings = 0;
};

/// Names are those of Llama's config.json; GPT-2's n_embd, n_head … are translated.
struct ModelConfig {
  ModelFamily family = ModelFamily::kLlama;
  std::string model_type;

  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 0;
  int64_t num_key_value_heads = 0;
  int64_t head_dim = 0;  // not always hidden_size / num_attention_heads
  int64_t max_position_embeddings = 0;

  double norm_epsilon = 1e-5;
  Activation hidden_act = Activation::kSilu;
  bool tie_word_embeddings = false;
  bool attention_bias = false;         // of the query, key and value projections
  bool attention_output_bias = false;  // of the output projection
  bool mlp_bias = false;
  bool qk_norm = false;  // RMS norm of each query and key head

  double rope_theta = 10000;  // unused by GPT-2
  RopeScaling rope_scaling;
  /// Per layer: how many tokens, itself included, a query may look back on; 0 for all of them.
  std::vector<int64_t> attention_windows;

  bool scale_attn_weights = true;                // GPT-2
  bool scale_attn_by_inverse_layer_idx = false;  // GPT-2

  TokenIds eos_token_ids;  // empty for a model without an end token
  std::optional<TokenId> bos_token_id, pad_token_id;
  std::optional<Dtype> torch_dtype;

  /// The config.json as read, for writing it back.
  std::string json_text;

  /// Factor of the query-key products in layer `layer`, counted from 0.
  double attention_scale(int64_t layer) const;
};

/// Normalises the text of a config.json; `generation` is the text of a generation_config.json, empty where there is
/// none, and its token ids win.
/// Throws Error for an unknown architecture (lists the supported ones), missing keys (names them all), a value of the
/// wrong type or out of range, a size that does not divide, or a feature that is not supported.
ModelConfig parse_model_config(std::string_view config, std::string_view generation = "");

/// Reads config.json and, where present, generation_config.json of a model folder. Throws as above, naming the folder.
ModelConfig load_model_config(const Path& folder);

}  // namespace agro
