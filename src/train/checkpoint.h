#pragma once
// Checkpoints: a loadable HuggingFace folder that also holds everything an exact resume needs.
#include <optional>

#include "core/json.h"
#include "model/model_folder.h"
#include "train/optimizer.h"

namespace agro {

/// RUN/checkpoints/step-N
Path checkpoint_path(const Path& run, int64_t step);

/// Steps that have a complete checkpoint, ascending.
std::vector<int64_t> checkpoint_steps(const Path& run);

/// Writes checkpoint `step` atomically, then removes the oldest ones beyond `keep`. `state` is what the loop must
/// remember, `extra` tensors beyond the model's and the optimiser's. On failure (full disk) the earlier checkpoints are
/// untouched, and Error is thrown.
void write_checkpoint(const Path& run, int64_t step, int64_t keep, const ModelFolder& folder, const CausalLm& model,
                      const AdamW& optimizer, const OrderedJson& state, const std::vector<NamedTensor>& extra = {});

/// Restores weights, optimiser and `extra` to the bit and returns the loop's state. Throws Error for a damaged
/// checkpoint or one of another model.
Json read_checkpoint(const Path& run, int64_t step, AdamW& optimizer, const std::vector<NamedTensor>& extra = {});

}  // namespace agro
