#pragma once
// Rotary position embedding: the table of angles for a model.
#include "model/config.h"
#include "tensor/torch_compat.h"

namespace agro {

/// [positions, head_dim] float32: cos of each position's head_dim/2 angles, then their sin. Angles are computed in
/// float32 from float32 frequencies, as transformers computes them. Source: Su et al. 2021; rope_scaling as HF's
/// "linear" and "llama3".
Tensor rope_table(const ModelConfig& config, int64_t positions);

}  // namespace agro
