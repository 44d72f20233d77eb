#include "model/inference_pass.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>

#include "core/parallel.h"
#include "tensor/ops/embedding.h"
#include "tensor/ops/norm_cpu.h"
#include "tensor/ops/vocabulary_cpu.h"

namespace agro {
namespace {

/// A linear layer as the kernels take it.
struct PackedLinear {
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
};

struct PackedLayer {
  std::vector<PackedLinear> projections;  // q, k, v, or one of all three
  PackedLinear o;
  std::vector<PackedLinear> inward;  // up, or gate and up
  PackedLinear down;

  explicit PackedLayer(const DecoderLayer& layer) : o(layer.o), down(layer.down) {
    if (layer.qkv)
      projections.emplace_back(*layer.qkv);
    else
      for (const LinearWeight* w : {&layer.q, &layer.k, &layer.v}) projections.emplace_back(*w);
    if (layer.gate) inward.emplace_back(*layer.gate);
    inward.emplace_back(layer.up);
  }
};

/// Memory that keeps its size from call to call; contents undefined.
template <class T>
class Buffer {
 public:
  T* of(int64_t count) {
    if (memory_.size() < static_cast<size_t>(count)) memory_.resize(static_cast<size_t>(count));
    return memory_.data();
  }

 private:
  std::vector<T> memory_;
};

/// What one thread works in.
struct Workspace {
  Buffer<float> x, normal, projected, q, k, v, attended, gate, up, low_rank, sum, last, logits;
  Buffer<int64_t> positions;
  std::vector<AttentionSpan> spans;
  std::vector<LogSumExp> state;
};

void normalise(const Norm& norm, int64_t rows, int64_t columns, const float* x, float* out) {
  const int64_t c = norm.weight.size(0);
  const NormShape shape{rows * columns / c, c, static_cast<float>(norm.epsilon)};
  if (norm.bias.defined())
    layer_norm_forward(shape, x, read_pointer<float>(norm.weight), read_pointer<float>(norm.bias), out, nullptr,
                       nullptr);
  else
    rms_norm_forward(shape, x, read_pointer<float>(norm.weight), out, nullptr);
}

void multiply(const PackedLinear& w, int64_t rows, const float* x, float* out, Workspace& space) {
  matmul({x, rows, w.in}, *w.weight, out, w.out, {.bias = w.bias});
  if (w.a == nullptr) return;
  float* u = space.low_rank.of(rows * w.rank);
  matmul({x, rows, w.in}, *w.a, u, w.rank);
  for (int64_t i = 0; i < rows * w.rank; ++i) u[i] *= w.scale;
  matmul({u, rows, w.rank}, *w.b, out, w.out, {.accumulate = true});
}

void add(int64_t count, const float* term, float* x) {
  for (int64_t i = 0; i < count; ++i) x[i] += term[i];
}

void copy_columns(int64_t rows, int64_t columns, const float* from, int64_t from_stride, float* to) {
  for (int64_t row = 0; row < rows; ++row)
    std::memcpy(to + row * columns, from + row * from_stride, static_cast<size_t>(columns) * sizeof(float));
}

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

/// The sequences one thread takes at a time: begin … end − 1.
struct Share {
  int64_t begin, end;
};

}  // namespace

class InferencePass::Kernels {
 public:
  Kernels(const CausalLm& model, KvCache& cache) : model_(model), parts_(model.parts()), cache_(cache) {
    for (const LinearWeight* w : model.linears())
      weight_bytes_ += w->weight.numel() * (w->products == Products::kBFloat16 ? 2 : 4);
  }

  void run(std::span<const TokenId> ids, const Offsets& offsets, const std::vector<CachePlace>& places,
           const LastRow& last_row) {
    pack();
    divide(offsets);
    spaces_.resize(std::max(spaces_.size(), shares_.size()));
    errors_.assign(shares_.size(), nullptr);
    const Batch batch{ids, offsets, places, last_row};
    parallel_for(static_cast<int64_t>(shares_.size()), [&](int64_t i) {
      const auto share = static_cast<size_t>(i);
      try {
        forward(batch, shares_[share], spaces_[share]);
      } catch (...) {
        errors_[share] = std::current_exception();
      }
    });
    for (const std::exception_ptr& error : errors_)
      if (error) std::rethrow_exception(error);
  }

 private:
  struct Batch {
    std::span<const TokenId> ids;
    const Offsets& offsets;
    const std::vector<CachePlace>& places;
    const LastRow& last_row;
  };

  void pack() {
    layers_.clear();
    for (const DecoderLayer& layer : parts_.layers) layers_.emplace_back(layer);
    head_.clear();
    head_.emplace_back(parts_.head);
  }

  /// Cuts the batch into shares of about equally many tokens. No number depends on the cut.
  void divide(const Offsets& offsets) {
    // Each share reads all weights: from a cache for nothing, from memory only if enough rows use what was read.
    constexpr int64_t kCached = 8 << 20, kFewRows = 12, kManyRows = 64, kMostRows = 96;
    const int64_t tokens = offsets.back(), sequences = static_cast<int64_t>(offsets.size()) - 1;
    const int64_t fewest = weight_bytes_ <= kCached ? kFewRows : kManyRows;
    const int64_t threads = thread_count(), possible = std::min(sequences, tokens / fewest);
    int64_t count = 1;
    if (possible >= threads) count = std::min(possible, std::max(threads, tokens / kMostRows / threads * threads));
    shares_.clear();
    int64_t begin = 0;
    for (int64_t i = 1; i <= count; ++i) {
      int64_t end = begin;
      while (end < sequences && (i == count || offsets[static_cast<size_t>(end)] < tokens * i / count)) ++end;
      if (end > begin) shares_.push_back({begin, end});
      begin = end;
    }
  }

  void forward(const Batch& batch, Share share, Workspace& space) const {
    const int64_t first = batch.offsets[static_cast<size_t>(share.begin)],
                  rows = batch.offsets[static_cast<size_t>(share.end)] - first;
    const int64_t c = model_.config().hidden_size;
    int64_t* positions = space.positions.of(rows);
    for (int64_t s = share.begin; s < share.end; ++s) {
      const auto sequence = static_cast<size_t>(s);
      for (int64_t row = batch.offsets[sequence]; row < batch.offsets[sequence + 1]; ++row)
        positions[row - first] = batch.places[sequence].past + row - batch.offsets[sequence];
    }
    float* x = space.x.of(rows * c);
    for (int64_t row = 0; row < rows; ++row) {
      widen_row(parts_.token_embedding, batch.ids[static_cast<size_t>(first + row)], c, x + row * c);
      if (!parts_.position_embedding.defined()) continue;
      float* position = space.sum.of(c);
      widen_row(parts_.position_embedding, positions[row], c, position);
      add(c, position, x + row * c);
    }
    float* normal = space.normal.of(rows * c);
    float* sum = space.sum.of(rows * c);
    for (size_t i = 0; i < layers_.size(); ++i) {
      const DecoderLayer& layer = parts_.layers[i];
      const PackedLayer& packed = layers_[i];
      normalise(layer.attention_norm, rows, c, x, normal);
      attend(batch, share, static_cast<int64_t>(i), normal, space);
      multiply(packed.o, rows, space.attended.of(rows * packed.o.in), sum, space);
      add(rows * c, sum, x);
      normalise(layer.feed_forward_norm, rows, c, x, normal);
      multiply(packed.down, rows, feed_forward(layer, packed, rows, normal, space), sum, space);
      add(rows * c, sum, x);
    }
    finish(batch, share, x, space);
  }

  /// Attention over the cache of layer i, to which the share's keys and values are added; into space.attended.
  void attend(const Batch& batch, Share share, int64_t i, const float* normal, Workspace& space) const {
    const DecoderLayer& layer = parts_.layers[static_cast<size_t>(i)];
    const AttentionShape& shape = layer.shape;
    const int64_t first = batch.offsets[static_cast<size_t>(share.begin)],
                  rows = batch.offsets[static_cast<size_t>(share.end)] - first;
    const int64_t wide = shape.heads * shape.head_dim, narrow = shape.kv_heads * shape.head_dim;
    float* q = space.q.of(rows * wide);
    float* k = space.k.of(rows * narrow);
    float* v = space.v.of(rows * narrow);
    const std::vector<PackedLinear>& projections = layers_[static_cast<size_t>(i)].projections;
    if (projections.size() == 1) {
      const int64_t all = projections[0].out;
      float* projected = space.projected.of(rows * all);
      multiply(projections[0], rows, normal, projected, space);
      copy_columns(rows, wide, projected, all, q);
      copy_columns(rows, narrow, projected + wide, all, k);
      copy_columns(rows, narrow, projected + wide + narrow, all, v);
    } else {
      multiply(projections[0], rows, normal, q, space);
      multiply(projections[1], rows, normal, k, space);
      multiply(projections[2], rows, normal, v, space);
    }
    if (layer.q_norm) normalise(*layer.q_norm, rows, wide, q, q);
    if (layer.k_norm) normalise(*layer.k_norm, rows, narrow, k, k);
    if (const Tensor& rope = model_.rope(); rope.defined()) {
      const int64_t* positions = space.positions.of(rows);
      rotary_embedding(rows, shape.heads, shape.head_dim, positions, read_pointer<float>(rope), q, q, false);
      rotary_embedding(rows, shape.kv_heads, shape.head_dim, positions, read_pointer<float>(rope), k, k, false);
    }
    const int64_t slot_size = cache_.capacity() * narrow;
    float* keys = write_pointer<float>(cache_.keys(i));
    float* values = write_pointer<float>(cache_.values(i));
    space.spans.clear();
    for (int64_t s = share.begin; s < share.end; ++s) {
      const auto sequence = static_cast<size_t>(s);
      const CachePlace& place = batch.places[sequence];
      const int64_t row = batch.offsets[sequence] - first, count = batch.offsets[sequence + 1] - first - row;
      const int64_t slot = place.slot * slot_size;
      copy_columns(count, narrow, k + row * narrow, narrow, keys + slot + place.past * narrow);
      copy_columns(count, narrow, v + row * narrow, narrow, values + slot + place.past * narrow);
      space.spans.push_back({row, count, keys + slot, values + slot, place.past + 1});
    }
    attention_forward(shape, space.spans, q, space.attended.of(rows * wide), nullptr);
  }

  static const float* feed_forward(const DecoderLayer& layer, const PackedLayer& packed, int64_t rows,
                                   const float* normal, Workspace& space) {
    const int64_t size = rows * packed.down.in;
    float* up = space.up.of(size);
    multiply(packed.inward.back(), rows, normal, up, space);
    if (!layer.gate) {
      activation_forward(layer.act, size, up, up);
      return up;
    }
    float* gate = space.gate.of(size);
    multiply(packed.inward.front(), rows, normal, gate, space);
    gated_forward(layer.act, size, gate, up, up);
    return up;
  }

  /// Logits of each sequence's last row, a few rows at a time and taken while they are in a cache.
  void finish(const Batch& batch, Share share, const float* x, Workspace& space) const {
    constexpr int64_t kRows = 96;
    const int64_t c = model_.config().hidden_size, vocabulary = parts_.head.out_features();
    const int64_t first = batch.offsets[static_cast<size_t>(share.begin)];
    for (int64_t begin = share.begin; begin < share.end; begin += kRows) {
      const int64_t rows = std::min(kRows, share.end - begin);
      float* last = space.last.of(rows * c);
      for (int64_t i = 0; i < rows; ++i) {
        const int64_t row = batch.offsets[static_cast<size_t>(begin + i + 1)] - 1 - first;
        std::memcpy(last + i * c, x + row * c, static_cast<size_t>(c) * sizeof(float));
      }
      normalise(parts_.final_norm, rows, c, last, last);
      float* logits = space.logits.of(rows * vocabulary);
      space.state.assign(static_cast<size_t>(rows), kEmptyLogSumExp);
      for (int64_t column = 0; column < vocabulary; column += kVocabularyBlock) {
        const int64_t columns = std::min(kVocabularyBlock, vocabulary - column);
        matmul({last, rows, c}, *head_.front().weight, logits + column, vocabulary,
               {.bias = head_.front().bias, .first_column = column, .last_column = column + columns});
        log_sum_exp_update(rows, columns, logits + column, vocabulary, 1.0F, space.state.data());
      }
      parallel_for(rows, [&](int64_t i) {
        const LogSumExp& state = space.state[static_cast<size_t>(i)];
        batch.last_row(begin + i, {logits + i * vocabulary, static_cast<size_t>(vocabulary)},
                       state.max + std::log(state.sum));
      });
    }
  }

  const CausalLm& model_;
  const FamilyParts& parts_;
  KvCache& cache_;
  int64_t weight_bytes_ = 0;
  std::vector<PackedLayer> layers_;
  std::vector<PackedLinear> head_;  // one
  std::vector<Share> shares_;
  std::vector<Workspace> spaces_;  // of each share
  std::vector<std::exception_ptr> errors_;
};

InferencePass::InferencePass(const CausalLm& model, KvCache& cache) : model_(model), cache_(cache) {
  const at::TensorOptions options = model.activation_options();
  if (options.dtype() == torch::kFloat32 && options.device().is_cpu())
    kernels_ = std::make_unique<Kernels>(model, cache);
}

InferencePass::~InferencePass() = default;
InferencePass::InferencePass(InferencePass&&) noexcept = default;

void InferencePass::run(std::span<const TokenId> ids, const Offsets& offsets, const std::vector<CachePlace>& places,
                        const LastRow& last_row) {
  if (!kernels_) return run_tensors(ids, offsets, places, last_row);
  check_ids(ids, model_.parts().token_embedding.size(0));
  int64_t length = 0;
  for (size_t s = 0; s < places.size(); ++s) {
    const int64_t rows = offsets[s + 1] - offsets[s];
    if (places[s].past + rows > cache_.capacity())
      throw fail("key/value cache of {} positions cannot hold {} more after {}", cache_.capacity(), rows,
                 places[s].past);
    length = std::max(length, places[s].past + rows);
  }
  model_.provide_positions(length);
  kernels_->run(ids, offsets, places, last_row);
}

void InferencePass::run_tensors(std::span<const TokenId> ids, const Offsets& offsets,
                                const std::vector<CachePlace>& places, const LastRow& last_row) {
  const torch::NoGradGuard no_grad;
  std::vector<TokenIds> sequences;
  std::vector<int64_t> past, last;
  for (size_t s = 0; s < places.size(); ++s) {
    sequences.emplace_back(ids.begin() + offsets[s], ids.begin() + offsets[s + 1]);
    past.push_back(places[s].past);
    last.push_back(offsets[s + 1] - 1);
  }
  const Tensor hidden = model_.hidden_states(pack_sequences(sequences, past), cache_, places);
  const Tensor logits = linear(hidden.index_select(0, int64_tensor(last).to(hidden.device())), model_.head())
                            .to(torch::kCPU, torch::kFloat)
                            .contiguous();
  const int64_t rows = logits.size(0), vocabulary = logits.size(1);
  const auto* values = read_pointer<float>(logits);
  std::vector<LogSumExp> state(static_cast<size_t>(rows), kEmptyLogSumExp);
  for (int64_t column = 0; column < vocabulary; column += kVocabularyBlock)
    log_sum_exp_update(rows, std::min(kVocabularyBlock, vocabulary - column), values + column, vocabulary, 1.0F,
                       state.data());
  parallel_for(rows, [&](int64_t row) {
    const LogSumExp& of_row = state[static_cast<size_t>(row)];
    last_row(row, {values + row * vocabulary, static_cast<size_t>(vocabulary)}, of_row.max + std::log(of_row.sum));
  });
}

}  // namespace agro
