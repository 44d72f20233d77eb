#include "model/value_head.h"

namespace agro {

ValueHead::ValueHead(int64_t hidden_size, const at::TensorOptions& options)
    : parameters_{{"value_head.weight", torch::zeros({hidden_size}, options.requires_grad(true))},
                  {"value_head.bias", torch::zeros({1}, options.requires_grad(true))}} {}

Tensor ValueHead::values(const Tensor& hidden) const {
  return hidden.matmul(parameters_[0].tensor) + parameters_[1].tensor;
}

}  // namespace agro
