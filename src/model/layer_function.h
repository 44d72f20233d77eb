#pragma once
// A decoder layer as one node of autograd's graph, its backward pass written by hand.
//
// Both passes go share by share: each thread takes some sequences through the whole layer, so that an operator's result
// is read from the thread's own cache, and threads meet once in a pass. The backward pass does so part after part of
// the batch, and adds each part's products to the gradients of the weights. DecoderLayer::forward is the same
// computation operator by operator: the reference for the tests, and the way where this one does not apply.
#include "model/decoder_layer.h"

namespace agro {

/// x [N, C] → [N, C]: layer.forward(x, index, context) with the same bits; gradients the same up to the order of
/// summation, and for any number of threads. One node where float32 activations are on the CPU, a graph is recorded,
/// all of the layer's tensors require gradients and none has a low-rank part; layer.forward() itself elsewhere. Throws
/// Error on a shape mismatch, on a prefix that is none, and where oneDNN fails.
Tensor forward_layer(const DecoderLayer& layer, const Tensor& x, int64_t index, const DecoderContext& context);

}  // namespace agro
