#pragma once
// A decoder layer whose activations are not kept: the backward pass computes them again from the layer's input.
// Source: Chen et al., "Training deep nets with sublinear memory cost", arXiv 1604.06174.
#include "model/decoder_layer.h"

namespace agro {

/// forward_layer(layer, x, index, context), with the same bits in value and gradients; between the passes only x is
/// kept. `context` must not have a cache. The layer is copied, the tensors are shared.
Tensor forward_recomputed(const DecoderLayer& layer, const Tensor& x, int64_t index, const DecoderContext& context);

}  // namespace agro
