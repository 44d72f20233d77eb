#include <limits>

#include "tensor/ops/attention.h"

namespace agro {

Tensor attention_ref(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionShape& shape,
                     const Offsets& offsets, const Prefixes& prefixes) {
  const int64_t group = shape.heads / shape.kv_heads;
  std::vector<Tensor> outs;
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    const auto rows_of = [&](const Tensor& x, size_t sequence) {
      return x.narrow(0, offsets[sequence], offsets[sequence + 1] - offsets[sequence]);
    };
    const auto heads_first = [&](const Tensor& x, int64_t heads) {
      return x.view({x.size(0), heads, shape.head_dim}).transpose(0, 1);
    };
    const auto seen = [&](const Tensor& x) {
      const bool continues = !prefixes.empty() && prefixes[s] >= 0;
      const Tensor all =
          continues ? torch::cat({rows_of(x, static_cast<size_t>(prefixes[s])), rows_of(x, s)}) : rows_of(x, s);
      return heads_first(all, shape.kv_heads).repeat_interleave(group, 0);
    };
    const Tensor keys = seen(k), values = seen(v), queries = rows_of(q, s);
    const int64_t t = queries.size(0), past = keys.size(1) - t;
    const Tensor all = torch::ones({t, past + t}, q.options().dtype(torch::kBool));
    Tensor hidden = all.triu(past + 1);
    if (shape.window > 0) hidden = hidden.logical_or(all.tril(past - shape.window));
    const Tensor scores =
        (heads_first(queries, shape.heads).matmul(keys.transpose(1, 2)) * static_cast<double>(shape.scale))
            .masked_fill(hidden, -std::numeric_limits<double>::infinity());
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
