#pragma once
// How each family's tensors make up the common decoder. To add a family: a builder here, its keys in config.cpp and its
// tensor names in parameter_names.cpp.
#include <functional>
#include <string>
#include <vector>

#include "model/decoder_layer.h"

namespace agro {

struct FamilyParts {
  Tensor token_embedding;     // [V, C]
  Tensor position_embedding;  // [P, C], or undefined: rotary
  std::vector<DecoderLayer> layers;
  Norm final_norm;
  LinearWeight head;  // [V, C]
};

/// `parameter` returns the tensor of a HuggingFace name and registers it; it is called once per tensor.
FamilyParts build_family(const ModelConfig& config, const std::function<Tensor(const std::string& name)>& parameter);

}  // namespace agro
