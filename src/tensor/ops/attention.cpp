#include "tensor/ops/attention.h"

#include <cstring>

#include "core/parallel.h"

namespace agro {
namespace {

std::vector<AttentionSpan> packed_spans(const Offsets& offsets, const Prefixes& prefixes, const Tensor& k,
                                        const Tensor& v) {
  std::vector<AttentionSpan> spans;
  append_spans(offsets, prefixes, 0, static_cast<int64_t>(offsets.size()) - 1, read_pointer<float>(k),
               read_pointer<float>(v), k.size(1), spans);
  return spans;
}

void check(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionShape& shape, const Offsets& offsets) {
  const int64_t n = offsets.empty() ? 0 : offsets.back();
  check_shape(q, {n, shape.heads * shape.head_dim}, "attention queries");
  check_shape(k, {n, shape.kv_heads * shape.head_dim}, "attention keys");
  check_shape(v, {n, shape.kv_heads * shape.head_dim}, "attention values");
}

struct AttentionFunction : torch::autograd::Function<AttentionFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& q_in, const Tensor& k_in, const Tensor& v_in,
                        const AttentionShape& shape, const Offsets& offsets, const Prefixes& prefixes) {
    const Tensor q = q_in.contiguous(), k = k_in.contiguous(), v = v_in.contiguous();
    Tensor out = torch::empty_like(q), lse = torch::empty({q.size(0), shape.heads}, q.options());
    const auto spans = packed_spans(offsets, prefixes, k, v);
    attention_forward(shape, spans, read_pointer<float>(q), write_pointer<float>(out), write_pointer<float>(lse));
    ctx->save_for_backward({q, k, v, lse});
    ctx->saved_data["offsets"] = offsets;
    ctx->saved_data["prefixes"] = prefixes;
    ctx->saved_data["shape"] = std::vector<int64_t>{shape.heads, shape.kv_heads, shape.head_dim, shape.window};
    ctx->saved_data["scale"] = static_cast<double>(shape.scale);
    return out;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &q = saved[0], &k = saved[1], &v = saved[2], dout = grads[0].contiguous();
    const auto sizes = ctx->saved_data["shape"].toIntVector();
    const AttentionShape shape{sizes[0], sizes[1], sizes[2], static_cast<float>(ctx->saved_data["scale"].toDouble()),
                               sizes[3]};
    const auto spans =
        packed_spans(ctx->saved_data["offsets"].toIntVector(), ctx->saved_data["prefixes"].toIntVector(), k, v);
    Tensor dq = torch::empty_like(q), dk = torch::empty_like(k), dv = torch::empty_like(v);
    attention_backward(shape, spans, read_pointer<float>(dout), read_pointer<float>(q), read_pointer<float>(saved[3]),
                       write_pointer<float>(dq), write_pointer<float>(dk), write_pointer<float>(dv));
    return {dq, dk, dv, Tensor(), Tensor(), Tensor()};
  }
};

struct RotaryFunction : torch::autograd::Function<RotaryFunction> {
  static Tensor rotate(const Tensor& x, const Tensor& positions, const Tensor& table, int64_t heads, bool inverse) {
    const Tensor input = x.contiguous();
    Tensor out = torch::empty_like(input);
    rotary_embedding(out.size(0), heads, table.size(1), read_pointer<int64_t>(positions), read_pointer<float>(table),
                     read_pointer<float>(input), write_pointer<float>(out), inverse);
    return out;
  }
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& positions_in, const Tensor& table,
                        int64_t heads) {
    const Tensor positions = positions_in.contiguous();
    ctx->save_for_backward({positions, table});
    ctx->saved_data["heads"] = heads;
    return rotate(x, positions, table, heads, false);
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    return {rotate(grads[0], saved[0], saved[1], ctx->saved_data["heads"].toInt(), true), Tensor(), Tensor(), Tensor()};
  }
};

/// Copies rows of `source` [N, row] behind the rows the slots already hold.
void append(const Tensor& source, const Offsets& offsets, const std::vector<CachePlace>& places, Tensor& cache) {
  const int64_t capacity = cache.size(1), row = cache.size(2);
  for (size_t s = 0; s < places.size(); ++s) {
    const int64_t rows = offsets[s + 1] - offsets[s], first = places[s].slot * capacity + places[s].past;
    if (cache.device().is_cpu() && cache.scalar_type() == at::kFloat)
      std::memcpy(write_pointer<float>(cache) + first * row, read_pointer<float>(source) + offsets[s] * row,
                  static_cast<size_t>(rows * row) * sizeof(float));
    else
      cache.view({-1, row}).narrow(0, first, rows).copy_(source.narrow(0, offsets[s], rows));
  }
}

Tensor attention_cached_ref(const Tensor& q, const AttentionShape& shape, const Offsets& offsets,
                            const std::vector<CachePlace>& places, const Tensor& key_cache, const Tensor& value_cache) {
  std::vector<Tensor> outs;
  for (size_t s = 0; s < places.size(); ++s) {
    const int64_t rows = offsets[s + 1] - offsets[s], length = places[s].past + rows;
    // Queries are the last `rows` of the sequence; earlier ones are filled with zeros and dropped.
    const Tensor padded = torch::constant_pad_nd(q.narrow(0, offsets[s], rows), {0, 0, places[s].past, 0});
    const Tensor out = attention_ref(padded, key_cache[places[s].slot].narrow(0, 0, length),
                                     value_cache[places[s].slot].narrow(0, 0, length), shape, {0, length});
    outs.push_back(out.narrow(0, places[s].past, rows));
  }
  return torch::cat(outs);
}

}  // namespace

void check_prefixes(const Prefixes& prefixes, const Offsets& offsets) {
  if (prefixes.empty()) return;
  if (prefixes.size() + 1 != offsets.size())
    throw fail("{} prefixes were given for {} sequences", prefixes.size(), offsets.size() - 1);
  for (size_t s = 0; s < prefixes.size(); ++s)
    if (prefixes[s] >= static_cast<int64_t>(s) || (prefixes[s] >= 0 && prefixes[static_cast<size_t>(prefixes[s])] >= 0))
      throw fail("sequence {} cannot continue sequence {}", s, prefixes[s])
          .hint("a prefix comes earlier in the batch and has no prefix itself");
}

void append_spans(const Offsets& offsets, const Prefixes& prefixes, int64_t begin, int64_t end, const float* k,
                  const float* v, int64_t stride, std::vector<AttentionSpan>& spans) {
  for (int64_t s = begin; s < end; ++s) {
    const auto sequence = static_cast<size_t>(s);
    const int64_t row = offsets[sequence] - offsets[static_cast<size_t>(begin)];
    const int64_t prefix = prefixes.empty() ? -1 : prefixes[sequence];
    spans.push_back({row, offsets[sequence + 1] - offsets[sequence], k + row * stride, v + row * stride, 1,
                     prefix < 0 ? -1 : prefix - begin});
  }
}

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionShape& shape, const Offsets& offsets,
                 const Prefixes& prefixes) {
  check(q, k, v, shape, offsets);
  check_prefixes(prefixes, offsets);
  return on_kernel_path(q) ? AttentionFunction::apply(q, k, v, shape, offsets, prefixes)
                           : attention_ref(q, k, v, shape, offsets, prefixes);
}

void check_room(const Offsets& offsets, const std::vector<CachePlace>& places, int64_t capacity) {
  for (size_t s = 0; s < places.size(); ++s)
    if (const int64_t rows = offsets[s + 1] - offsets[s]; places[s].past + rows > capacity)
      throw fail("key/value cache of {} positions cannot hold {} more after {}", capacity, rows, places[s].past);
}

Tensor attention_cached(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionShape& shape,
                        const Offsets& offsets, const std::vector<CachePlace>& places, Tensor& key_cache,
                        Tensor& value_cache) {
  check(q, k, v, shape, offsets);
  check_room(offsets, places, key_cache.size(1));
  append(k.contiguous(), offsets, places, key_cache);
  append(v.contiguous(), offsets, places, value_cache);
  if (!on_kernel_path(q)) return attention_cached_ref(q, shape, offsets, places, key_cache, value_cache);
  const int64_t stride = key_cache.size(1) * key_cache.size(2);
  std::vector<AttentionSpan> spans;
  for (size_t s = 0; s < places.size(); ++s)
    spans.push_back({offsets[s], offsets[s + 1] - offsets[s], read_pointer<float>(key_cache) + places[s].slot * stride,
                     read_pointer<float>(value_cache) + places[s].slot * stride, places[s].past + 1});
  const Tensor queries = q.contiguous();
  Tensor out = torch::empty_like(queries);
  attention_forward(shape, spans, read_pointer<float>(queries), write_pointer<float>(out), nullptr);
  return out;
}

Tensor rotary(const Tensor& x, const Tensor& positions, const Tensor& table, int64_t heads) {
  check_shape(x, {positions.size(0), heads * table.size(1)}, "input of the rotary embedding");
  if (!on_kernel_path(x)) return rotary_ref(x, positions, table, heads);
  if (!records_graph()) return RotaryFunction::rotate(x, positions.contiguous(), table, heads, false);
  return RotaryFunction::apply(x, positions, table, heads);
}

}  // namespace agro
