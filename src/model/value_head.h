#pragma once
// A value head: what a policy expects to earn, read off the hidden states its next-token distribution comes from.
#include "model/causal_lm.h"

namespace agro {

/// V(prefix) = w · h(prefix) + b in units of reward. Starts at 0 everywhere; trainable.
class ValueHead {
 public:
  /// For hidden states of width `hidden_size` and the dtype and device of `options`.
  ValueHead(int64_t hidden_size, const at::TensorOptions& options);

  /// hidden [N, C] -> [N], differentiable in the hidden states and the head.
  Tensor values(const Tensor& hidden) const;

  /// "value_head.weight" [C] and "value_head.bias" [1]; handles.
  const std::vector<NamedTensor>& parameters() const { return parameters_; }

 private:
  std::vector<NamedTensor> parameters_;
};

}  // namespace agro
