#include "model/layer_backward.h"

#include <algorithm>

#include "model/weight_gradients.h"

namespace agro {
namespace {

/// Part after part of the batch: what is computed on the way to the weights' gradients is as large as a part, which
/// the caches hold better than the whole.
class BackwardPass : LayerPass {
 public:
  BackwardPass(const DecoderLayer& layer, const DecoderContext& context, const Activations& kept, const Tensor& dy)
      : LayerPass(layer, context), kept_(kept), dy_(dy), linears_(layer, DirectedLinear::backward), weights_(layer) {}

  /// The gradient of the layer's input, then those of its tensors in the order of DecoderLayer::trainable().
  variable_list run() {
    dx_ = rows(columns_);
    std::vector<Share> parts;
    cut(batch(), whole(context_.offsets), std::max<int64_t>(1, tokens_ / part_rows()), parts);
    provide(parts);
    for (const Share& part : parts) {
      first_row_ = part.first_row;
      run_phases(
          part, [&](const Share& share) { feed_forward(share); }, [&](const Share& share) { attend(share); },
          [&](const Share& share) { project(share); });
      add_weight_gradients(part);
    }
    variable_list result = weights_.sums();
    result.insert(result.begin(), dx_);
    return result;
  }

 private:
  /// Adding to the weights' gradients once more reads and writes all of them; a part is so long that this is little, a
  /// fourth, beside what its own rows read and write. Does not depend on the number of threads, so that the order of
  /// the sums does not either.
  int64_t part_rows() const {
    constexpr int64_t kFewest = 1024, kTimesTheWeights = 4;
    int64_t parameters = 0;
    for (const LinearWeight* w : layer_.linears()) parameters += w->weight.numel();
    const int64_t numbers_of_row = 4 * columns_ + 2 * wide_ + 2 * narrow_ + 3 * linears_.up.in();
    return std::max(kFewest, kTimesTheWeights * parameters / numbers_of_row);
  }

  void provide(const std::vector<Share>& parts) {
    int64_t most = 0;
    for (const Share& part : parts) most = std::max(most, part.rows);
    dnormal_ = rows(most, columns_), dmiddle_ = rows(most, columns_), dmiddle_normal_ = rows(most, columns_);
    dup_ = rows(most, linears_.up.in());
    if (linears_.gate) dgate_ = rows(most, linears_.up.in());
    dq_ = rows(most, wide_), dk_ = rows(most, narrow_), dv_ = rows(most, narrow_);
    if (linears_.qkv) dqkv_ = rows(most, linears_.qkv->in());
    if (layer_.q_norm) draw_q_ = rows(most, wide_);
    if (layer_.k_norm) draw_k_ = rows(most, narrow_);
  }

  /// A row of the batch in what is as large as a part.
  float* in_part(const Tensor& t, int64_t row) const { return write_row(t, row - first_row_); }

  /// From dy to dmiddle, by way of the feed-forward block and around it, and to the gradient of attention's result, in
  /// dq.
  void feed_forward(const Share& share) const {
    const int64_t row = share.first_row, n = share.rows, size = n * linears_.up.in();
    float *dup = in_part(dup_, row), *dmiddle_normal = in_part(dmiddle_normal_, row), *dmiddle = in_part(dmiddle_, row);
    const float *dy = read_row(dy_, row), *up = read_row(kept_.up, row);
    if (linears_.gate) {
      float* dgate = in_part(dgate_, row);  // at first the gradient of `inner`
      linears_.down.multiply(n, dy, dgate);
      gated_backward(layer_.act, size, dgate, read_row(kept_.gate, row), up, dgate, dup);
      linears_.up.multiply(n, dup, dmiddle_normal);
      linears_.gate->multiply(n, dgate, dmiddle_normal, true);
    } else {
      linears_.down.multiply(n, dy, dup);
      activation_backward(layer_.act, size, dup, up, dup);
      linears_.up.multiply(n, dup, dmiddle_normal);
    }
    norm_backward(layer_.feed_forward_norm, n * columns_, dmiddle_normal, read_row(kept_.middle, row),
                  kept_.feed_forward_norm.read(row), dmiddle);
    add(n * columns_, dy, dmiddle);
    linears_.o.multiply(n, dmiddle, in_part(dq_, row));
  }

  /// From the gradient of attention's result to dq, dk, dv of the rotated queries and keys.
  void attend(const Share& share) const {
    const int64_t row = share.first_row;
    float *dq = in_part(dq_, row), *dk = in_part(dk_, row);
    attention_backward(layer_.shape, spans(share, read_row(kept_.k, row), read_row(kept_.v, row)), dq,
                       read_row(kept_.q, row), read_row(kept_.log_sum_exp, row), dq, dk, in_part(dv_, row));
  }

  /// From dq, dk, dv to dx, by way of the projections and around them.
  void project(const Share& share) const {
    const int64_t row = share.first_row, n = share.rows;
    rotate(share, layer_.shape.heads, in_part(dq_, row), true);
    rotate(share, layer_.shape.kv_heads, in_part(dk_, row), true);
    const float *dq = in_part(dq_, row), *dk = in_part(dk_, row), *dv = in_part(dv_, row);
    float *dnormal = in_part(dnormal_, row), *dx = write_row(dx_, row);
    if (layer_.q_norm) {
      norm_backward(*layer_.q_norm, n * wide_, dq, read_row(kept_.raw_q, row), kept_.q_norm.read(row),
                    in_part(draw_q_, row));
      dq = in_part(draw_q_, row);
    }
    if (layer_.k_norm) {
      norm_backward(*layer_.k_norm, n * narrow_, dk, read_row(kept_.raw_k, row), kept_.k_norm.read(row),
                    in_part(draw_k_, row));
      dk = in_part(draw_k_, row);
    }
    if (linears_.qkv) {
      float* all = in_part(dqkv_, row);
      copy_columns(n, wide_, dq, wide_, all, linears_.qkv->in());
      copy_columns(n, narrow_, dk, narrow_, all + wide_, linears_.qkv->in());
      copy_columns(n, narrow_, dv, narrow_, all + wide_ + narrow_, linears_.qkv->in());
      linears_.qkv->multiply(n, all, dnormal);
    } else {
      linears_.q->multiply(n, dq, dnormal);
      linears_.k->multiply(n, dk, dnormal, true);
      linears_.v->multiply(n, dv, dnormal, true);
    }
    norm_backward(layer_.attention_norm, n * columns_, dnormal, read_row(kept_.x, row), kept_.attention_norm.read(row),
                  dx);
    add(n * columns_, in_part(dmiddle_, row), dx);
  }

  void add_weight_gradients(const Share& part) {
    const int64_t row = part.first_row, n = part.rows;
    const auto add_norm = [&](const Norm& norm, int64_t columns, const Tensor& dy, const Tensor& x,
                              const NormStatistics& statistics) {
      weights_.norm(norm, n * columns, in_part(dy, row), read_row(x, row), statistics.read(row));
    };
    const auto add_linear = [&](const LinearWeight& w, const Tensor& dy, const Tensor& x) {
      weights_.linear(w, n, in_part(dy, row), read_row(x, row));
    };
    weights_.next_part();
    add_norm(layer_.attention_norm, columns_, dnormal_, kept_.x, kept_.attention_norm);
    add_norm(layer_.feed_forward_norm, columns_, dmiddle_normal_, kept_.middle, kept_.feed_forward_norm);
    if (layer_.q_norm) add_norm(*layer_.q_norm, wide_, dq_, kept_.raw_q, kept_.q_norm);
    if (layer_.k_norm) add_norm(*layer_.k_norm, narrow_, dk_, kept_.raw_k, kept_.k_norm);
    if (layer_.qkv) {
      add_linear(*layer_.qkv, dqkv_, kept_.normal);
    } else {
      add_linear(layer_.q, layer_.q_norm ? draw_q_ : dq_, kept_.normal);
      add_linear(layer_.k, layer_.k_norm ? draw_k_ : dk_, kept_.normal);
      add_linear(layer_.v, dv_, kept_.normal);
    }
    add_linear(layer_.o, dmiddle_, kept_.attended);
    if (layer_.gate) add_linear(*layer_.gate, dgate_, kept_.middle_normal);
    add_linear(layer_.up, dup_, kept_.middle_normal);
    weights_.linear(layer_.down, n, read_row(dy_, row), read_row(kept_.inner, row));
    weights_.multiply();
  }

  const Activations& kept_;
  const Tensor& dy_;
  LinearsOf<DirectedLinear> linears_;
  WeightGradients weights_;
  int64_t first_row_ = 0;  // of the part
  Tensor dx_;              // [N, C]
  // The gradients of what is named, of the rows of a part. draw_q_ and draw_k_ are those of raw_q and raw_k.
  Tensor dnormal_, dmiddle_, dmiddle_normal_, dgate_, dup_, dq_, dk_, dv_, dqkv_, draw_q_, draw_k_;
};

}  // namespace

variable_list layer_backward(const DecoderLayer& layer, const DecoderContext& context, const Activations& kept,
                             const Tensor& dy) {
  return BackwardPass(layer, context, kept, dy).run();
}

}  // namespace agro
