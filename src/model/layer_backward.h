#pragma once
// The backward pass through a decoder layer, written by hand.
#include "model/layer_pass.h"

namespace agro {

/// From dy [N, C], dense float32, and what layer_forward() kept: the gradient of x [N, C], then those of the layer's
/// tensors in the order of DecoderLayer::trainable(), all of which are trained. The same bits for any number of
/// threads. Throws Error where oneDNN fails.
variable_list layer_backward(const DecoderLayer& layer, const DecoderContext& context, const Activations& kept,
                             const Tensor& dy);

}  // namespace agro
