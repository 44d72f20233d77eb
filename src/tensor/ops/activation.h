#pragma once
// Activations of the feed-forward block, differentiable.
#include "tensor/ops/activation_cpu.h"
#include "tensor/torch_compat.h"

namespace agro {

/// act(x), any shape.
Tensor activation(const Tensor& x, Activation act);
Tensor activation_ref(const Tensor& x, Activation act);

/// act(gate) · up, equal shapes.
Tensor gated_activation(const Tensor& gate, const Tensor& up, Activation act);
Tensor gated_activation_ref(const Tensor& gate, const Tensor& up, Activation act);

}  // namespace agro
