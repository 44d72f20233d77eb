#pragma once
// A model with random weights, to train from nothing or to measure a shape.
#include <cstdint>

#include "core/file.h"

namespace agro {

struct RandomInit {
  uint64_t seed = 0;
  double standard_deviation = 0.02;  // of matrices; norm weights are 1, biases 0
};

/// Writes model.safetensors beside the config.json of `folder`, in the config's torch_dtype (F32 where it names none).
/// Equal config and seed give equal bytes, whatever the number of threads. Throws Error where the folder already has
/// weights.
void write_random_weights(const Path& folder, const RandomInit& init);

}  // namespace agro
