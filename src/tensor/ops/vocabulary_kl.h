#pragma once
// Exact KL divergence between the next-token distributions of two models, token by token.
#include "tensor/ops/linear.h"

namespace agro {

/// KL(softmax(hidden·Wᵀ) ‖ softmax(ref_hidden·W_refᵀ)) of every row: [N], nats. Differentiable in hidden and W; the
/// reference is held fixed. Memory: a few rows of the vocabulary at a time; the backward pass computes the logits
/// again.
Tensor vocabulary_kl(const Tensor& hidden, const LinearWeight& head, const Tensor& ref_hidden,
                     const LinearWeight& ref_head);
Tensor vocabulary_kl_ref(const Tensor& hidden, const LinearWeight& head, const Tensor& ref_hidden,
                         const LinearWeight& ref_head);

}  // namespace agro
