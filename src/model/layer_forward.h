#pragma once
// The forward pass through a decoder layer that is trained.
#include "model/layer_pass.h"

namespace agro {

/// y [N, C] from x [N, C], dense float32 on the CPU, with the bits of layer.forward(); `kept` is filled for
/// layer_backward(). The layer has no low-rank parts, the context no cache. Throws Error where oneDNN fails.
Tensor layer_forward(const DecoderLayer& layer, const DecoderContext& context, const Tensor& x, Activations& kept);

}  // namespace agro
