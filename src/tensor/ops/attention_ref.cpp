#include <limits>

#include "tensor/ops/attention.h"

namespace agro {

Tensor attention_ref(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionShape& shape,
                     const Offsets& offsets) {
  const int64_t group = shape.heads / shape.kv_heads;
  std::vector<Tensor> outs;
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    const int64_t t = offsets[s + 1] - offsets[s];
    const auto heads_first = [&](const Tensor& x, int64_t heads) {
      return x.narrow(0, offsets[s], t).view({t, heads, shape.head_dim}).transpose(0, 1);
    };
    const Tensor keys = heads_first(k, shape.kv_heads).repeat_interleave(group, 0);
    const Tensor values = heads_first(v, shape.kv_heads).repeat_interleave(group, 0);
    const Tensor future = torch::ones({t, t}, q.options().dtype(torch::kBool)).triu(1);
    const Tensor scores = (heads_first(q, shape.heads).matmul(keys.transpose(1, 2)) * static_cast<double>(shape.scale))
                              .masked_fill(future, -std::numeric_limits<double>::infinity());
    outs.push_back(scores.softmax(-1).matmul(values).transpose(0, 1).reshape({t, shape.heads * shape.head_dim}));
  }
  return torch::cat(outs);
}

Tensor rotary_ref(const Tensor& x, const Tensor& positions, const Tensor& table, int64_t heads) {
  const int64_t n = x.size(0), d = table.size(1), half = d / 2;
  const Tensor angles = table.to(x.scalar_type()).index_select(0, positions).view({n, 1, d});
  const Tensor cosine = angles.narrow(2, 0, half), sine = angles.narrow(2, half, half);
  const Tensor parts = x.view({n, heads, d});
  const Tensor first = parts.narrow(2, 0, half), second = parts.narrow(2, half, half);
  return torch::cat({first * cosine - second * sine, second * cosine + first * sine}, 2).view({n, heads * d});
}

}  // namespace agro
