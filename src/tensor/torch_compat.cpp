#include "tensor/torch_compat.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace agro {

variable_list gradients_of(const Tensor& output, const variable_list& inputs, const Tensor& cotangent) {
  return torch::autograd::grad({output}, inputs, {cotangent}, /*retain_graph=*/false, /*create_graph=*/false,
                               /*allow_unused=*/true);
}

void check_shape(const Tensor& t, std::initializer_list<int64_t> expected, const char* name) {
  if (!t.defined()) throw fail("{} is missing, expected shape [{}]", name, fmt::join(expected, ", "));
  const auto sizes = t.sizes();
  const bool equal =
      sizes.size() == expected.size() &&
      std::equal(expected.begin(), expected.end(), sizes.begin(), [](int64_t e, int64_t s) { return e < 0 || e == s; });
  if (!equal) throw fail("{} has shape [{}], expected [{}]", name, fmt::join(sizes, ", "), fmt::join(expected, ", "));
}

Tensor int64_tensor(const std::vector<int64_t>& values) {
  Tensor t = torch::empty({static_cast<int64_t>(values.size())}, torch::kInt64);
  std::copy(values.begin(), values.end(), write_pointer<int64_t>(t));
  return t;
}

}  // namespace agro
