#include "model/kernel_pass.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "core/parallel.h"
#include "model/linears_of.h"
#include "model/row_kernels.h"

namespace agro {
namespace {

/// Row `row` of a table [rows, c] in float32 or bfloat16.
void widen_row(const Tensor& table, int64_t row, int64_t c, float* out) {
  if (table.scalar_type() == at::kFloat) {
    std::memcpy(out, read_pointer<float>(table) + row * c, static_cast<size_t>(c) * sizeof(float));
    return;
  }
  const uint16_t* bits = bfloat16_bits(table) + row * c;
  for (int64_t i = 0; i < c; ++i) {
    const uint32_t wide = static_cast<uint32_t>(bits[i]) << 16;
    std::memcpy(out + i, &wide, sizeof(wide));
  }
}

}  // namespace

/// A linear layer as the kernels take it.
struct KernelPass::PackedLinear {
  const RightHandSide* weight = nullptr;
  const float* bias = nullptr;
  const RightHandSide *a = nullptr, *b = nullptr;  // of the low-rank part, if there is one
  float scale = 0;
  int64_t in = 0, out = 0, rank = 0;

  /// Packs what has changed. Not thread-safe.
  explicit PackedLinear(const LinearWeight& w)
      : weight(&w.pack->get(w.weight, w.layout, w.products)),
        bias(w.bias.defined() ? read_pointer<float>(w.bias) : nullptr),
        in(w.in_features()),
        out(w.out_features()) {
    if (!w.low_rank) return;
    a = &w.low_rank->a_pack->get(w.low_rank->a, WeightLayout::kOutIn, w.products);
    b = &w.low_rank->b_pack->get(w.low_rank->b, WeightLayout::kOutIn, w.products);
    scale = static_cast<float>(w.low_rank->scale), rank = w.low_rank->rank();
  }

  /// y [rows, out] = this layer of x [rows, in].
  void multiply(int64_t rows, const float* x, float* y, KeptMemory<float>& between) const {
    matmul({x, rows, in}, *weight, y, out, {.bias = bias});
    if (a == nullptr) return;
    float* u = between.of(rows * rank);
    matmul({x, rows, in}, *a, u, rank);
    for (int64_t i = 0; i < rows * rank; ++i) u[i] *= scale;
    matmul({u, rows, rank}, *b, y, out, {.accumulate = true});
  }
};

struct KernelPass::PackedLayer : LinearsOf<PackedLinear> {
  explicit PackedLayer(const DecoderLayer& layer)
      : LinearsOf(layer, [](const LinearWeight& w) { return PackedLinear(w); }) {}
};

/// What one thread works in.
struct KernelPass::Workspace {
  KeptMemory<float> x, normal, all, q, k, v, attended, gate, up, low_rank, sum;
  std::vector<AttentionSpan> spans;
};

KernelPass::KernelPass(const FamilyParts& parts) : parts_(parts), columns_(parts.token_embedding.size(1)) {
  for (const DecoderLayer& layer : parts.layers) weight_bytes_ += layer.weight_bytes();
}
KernelPass::~KernelPass() = default;
KernelPass::KernelPass(KernelPass&&) noexcept = default;

void KernelPass::run(const PackedView& batch, const Finish& finish) {
  pack();
  divide_into_shares({batch.offsets, batch.prefixes}, whole(batch.offsets), weight_bytes_, shares_);
  if (spaces_.size() < shares_.size()) spaces_.resize(shares_.size());
  parallel_for_rethrowing(static_cast<int64_t>(shares_.size()), [&](int64_t i) {
    const auto index = static_cast<size_t>(i);
    forward(batch, shares_[index], spaces_[index]);
    finish(index, shares_[index], spaces_[index].x.of(0));
  });
}

void KernelPass::final_norm(int64_t rows, const float* x, float* out) const {
  norm_forward(parts_.final_norm, rows * columns_, x, out);
}

void KernelPass::pack() {
  layers_.clear();
  for (const DecoderLayer& layer : parts_.layers) layers_.emplace_back(layer);
}

void KernelPass::forward(const PackedView& batch, const Share& share, Workspace& space) const {
  const int64_t rows = share.rows, c = columns_;
  float* x = space.x.of(rows * c);
  float* sum = space.sum.of(rows * c);
  for (int64_t row = 0; row < rows; ++row)
    widen_row(parts_.token_embedding, batch.ids[share.first_row + row], c, x + row * c);
  if (parts_.position_embedding.defined()) {
    for (int64_t row = 0; row < rows; ++row)
      widen_row(parts_.position_embedding, batch.positions[share.first_row + row], c, sum + row * c);
    add(rows * c, sum, x);
  }
  float* normal = space.normal.of(rows * c);
  for (size_t i = 0; i < layers_.size(); ++i) {
    const DecoderLayer& layer = parts_.layers[i];
    const PackedLayer& packed = layers_[i];
    norm_forward(layer.attention_norm, rows * c, x, normal);
    attend(batch, share, i, space);
    packed.o.multiply(rows, space.attended.of(0), sum, space.low_rank);
    add(rows * c, sum, x);
    norm_forward(layer.feed_forward_norm, rows * c, x, normal);
    packed.down.multiply(rows, feed_forward(layer, packed, rows, space), sum, space.low_rank);
    add(rows * c, sum, x);
  }
}

/// Copies a share's keys and values behind those that the cache holds of their sequences.
void KernelPass::append_to_cache(const PackedView& batch, const Share& share, size_t layer, const float* k,
                                 const float* v, std::vector<AttentionSpan>& spans) const {
  const AttentionShape& shape = parts_.layers[layer].shape;
  const int64_t narrow = shape.kv_heads * shape.head_dim;
  auto* all_keys = write_pointer<float>(batch.cache->keys(static_cast<int64_t>(layer)));
  auto* all_values = write_pointer<float>(batch.cache->values(static_cast<int64_t>(layer)));
  for (int64_t s = share.begin; s < share.end; ++s) {
    const auto sequence = static_cast<size_t>(s);
    const int64_t row = batch.offsets[sequence] - share.first_row,
                  count = batch.offsets[sequence + 1] - batch.offsets[sequence];
    const CachePlace& place = (*batch.places)[sequence];
    const int64_t slot = place.slot * batch.cache->capacity() * narrow;
    float *keys = all_keys + slot, *values = all_values + slot;
    const size_t bytes = static_cast<size_t>(count * narrow) * sizeof(float);
    std::memcpy(keys + place.past * narrow, k + row * narrow, bytes);
    std::memcpy(values + place.past * narrow, v + row * narrow, bytes);
    spans.push_back({row, count, keys, values, place.past + 1});
  }
}

/// Attention of space.normal, into space.attended; adds keys and values to the cache where there is one.
void KernelPass::attend(const PackedView& batch, const Share& share, size_t i, Workspace& space) const {
  const DecoderLayer& layer = parts_.layers[i];
  const AttentionShape& shape = layer.shape;
  const int64_t rows = share.rows, wide = shape.heads * shape.head_dim, narrow = shape.kv_heads * shape.head_dim;
  const float* normal = space.normal.of(0);
  float* q = space.q.of(rows * wide);
  float* k = space.k.of(rows * narrow);
  float* v = space.v.of(rows * narrow);
  const PackedLayer& packed = layers_[i];
  if (packed.qkv) {
    const int64_t columns = packed.qkv->out;
    float* all = space.all.of(rows * columns);
    packed.qkv->multiply(rows, normal, all, space.low_rank);
    copy_columns(rows, wide, all, columns, q, wide);
    copy_columns(rows, narrow, all + wide, columns, k, narrow);
    copy_columns(rows, narrow, all + wide + narrow, columns, v, narrow);
  } else {
    packed.q->multiply(rows, normal, q, space.low_rank);
    packed.k->multiply(rows, normal, k, space.low_rank);
    packed.v->multiply(rows, normal, v, space.low_rank);
  }
  if (layer.q_norm) norm_forward(*layer.q_norm, rows * wide, q, q);
  if (layer.k_norm) norm_forward(*layer.k_norm, rows * narrow, k, k);
  if (batch.rope.defined()) {
    const int64_t* positions = batch.positions + share.first_row;
    const auto* table = read_pointer<float>(batch.rope);
    rotary_embedding(rows, shape.heads, shape.head_dim, positions, table, q, q, false);
    rotary_embedding(rows, shape.kv_heads, shape.head_dim, positions, table, k, k, false);
  }
  space.spans.clear();
  if (batch.cache == nullptr)
    append_spans(batch.offsets, batch.prefixes, share.begin, share.end, k, v, narrow, space.spans);
  else
    append_to_cache(batch, share, i, k, v, space.spans);
  attention_forward(shape, space.spans, q, space.attended.of(rows * wide), nullptr);
}

/// What the feed-forward block's last layer is applied to, from space.normal: [rows, inner].
float* KernelPass::feed_forward(const DecoderLayer& layer, const PackedLayer& packed, int64_t rows,
                                Workspace& space) const {
  const float* normal = space.normal.of(0);
  const int64_t size = rows * packed.down.in;
  float* up = space.up.of(size);
  packed.up.multiply(rows, normal, up, space.low_rank);
  if (!packed.gate) {
    activation_forward(layer.act, size, up, up);
    return up;
  }
  float* gate = space.gate.of(size);
  packed.gate->multiply(rows, normal, gate, space.low_rank);
  gated_forward(layer.act, size, gate, up, up);
  return up;
}

}  // namespace agro
