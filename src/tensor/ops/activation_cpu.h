#pragma once
// Gated and plain activations on float32, forward and backward.
#include <cstdint>

namespace agro {

/// kGelu is x Φ(x); kGeluTanh its tanh approximation ("gelu_new", "gelu_pytorch_tanh").
enum class Activation { kSilu, kGelu, kGeluTanh, kRelu };

/// y = act(x), n elements.
void activation_forward(Activation act, int64_t n, const float* x, float* y);
/// dx = dy · act'(x); dx may be dy.
void activation_backward(Activation act, int64_t n, const float* dy, const float* x, float* dx);

/// SwiGLU and its kin: y = act(gate) · up. Backward: dgate may be dy.
void gated_forward(Activation act, int64_t n, const float* gate, const float* up, float* y);
void gated_backward(Activation act, int64_t n, const float* dy, const float* gate, const float* up, float* dgate,
                    float* dup);

}  // namespace agro
