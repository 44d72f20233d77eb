#pragma once
// The parameters a model must have, under their HuggingFace names, and how they are found in a file that may drop the
// base model's prefix, repeat a tied output layer, or carry buffers.
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/config.h"

namespace agro {

struct ParameterSpec {
  std::string name;            // "model.layers.0.self_attn.q_proj.weight"
  std::vector<int64_t> shape;  // as stored: [out, in] for linear layers, [in, out] for GPT-2's Conv1D
};

/// Every trainable parameter, in the order of HF's state_dict. A tied output layer is its embedding, hence not listed.
std::vector<ParameterSpec> expected_parameters(const ModelConfig& config);

/// Name of the output layer's weight, and of the embedding that stands in for it where the two are tied.
std::string_view output_weight_name();
std::string_view embedding_weight_name(const ModelConfig& config);

using StoredShapes = std::unordered_map<std::string, std::vector<int64_t>>;

/// How the tensors of a file serve a model.
struct ParameterMatch {
  struct Parameter {
    ParameterSpec spec;
    std::string stored_name;  // the spec's name, or that without the base model's prefix
  };
  std::vector<Parameter> parameters;     // in the order of expected_parameters
  std::vector<std::string> tied_copies;  // stored repetitions of the embedding as output layer
  std::vector<std::string> buffers;      // stored causal masks and rotary frequencies: not needed
};

/// Finds every expected parameter among the stored tensors.
/// Throws Error for missing tensors, wrong shapes (expected and found), and tensors the model has no place for.
ParameterMatch match_parameters(const ModelConfig& config, const StoredShapes& stored);

}  // namespace agro
