#include "model/layer_forward.h"

namespace agro {
namespace {

class ForwardPass : LayerPass {
 public:
  ForwardPass(const DecoderLayer& layer, const DecoderContext& context)
      : LayerPass(layer, context), linears_(layer, DirectedLinear::forward) {}

  /// The layer's result; `kept` is filled.
  Tensor run(const Tensor& x, Activations& kept) {
    provide(x, kept);
    Tensor y = rows(columns_);
    const Tensor all = linears_.qkv ? rows(linears_.qkv->out()) : Tensor();
    run_phases(
        whole(context_.offsets), [&](const Share& share) { project(share, kept, all); },
        [&](const Share& share) { attend(share, kept); }, [&](const Share& share) { feed_forward(share, kept, y); });
    return y;
  }

 private:
  void provide(const Tensor& x, Activations& kept) const {
    const auto statistics = [&](const Norm& norm, int64_t columns, NormStatistics& s) {
      const int64_t in_row = columns / norm.weight.size(0);
      s.inverse = rows(in_row);
      if (norm.bias.defined()) s.mean = rows(in_row);
    };
    kept.x = x, kept.normal = rows(columns_);
    statistics(layer_.attention_norm, columns_, kept.attention_norm);
    kept.q = rows(wide_), kept.k = rows(narrow_), kept.v = rows(narrow_), kept.attended = rows(wide_);
    kept.log_sum_exp = rows(layer_.shape.heads);
    if (layer_.q_norm) kept.raw_q = rows(wide_), statistics(*layer_.q_norm, wide_, kept.q_norm);
    if (layer_.k_norm) kept.raw_k = rows(narrow_), statistics(*layer_.k_norm, narrow_, kept.k_norm);
    kept.middle = rows(columns_), kept.middle_normal = rows(columns_);
    statistics(layer_.feed_forward_norm, columns_, kept.feed_forward_norm);
    kept.up = rows(linears_.up.out()), kept.inner = rows(linears_.up.out());
    if (linears_.gate) kept.gate = rows(linears_.up.out());
  }

  void project(const Share& share, const Activations& kept, const Tensor& all) const {
    const int64_t row = share.first_row, n = share.rows;
    float* normal = write_row(kept.normal, row);
    norm_forward(layer_.attention_norm, n * columns_, read_row(kept.x, row), normal, kept.attention_norm.written(row));
    float *q = write_row(layer_.q_norm ? kept.raw_q : kept.q, row),
          *k = write_row(layer_.k_norm ? kept.raw_k : kept.k, row);
    float* v = write_row(kept.v, row);
    if (linears_.qkv) {
      float* projected = write_row(all, row);
      linears_.qkv->multiply(n, normal, projected);
      copy_columns(n, wide_, projected, linears_.qkv->out(), q, wide_);
      copy_columns(n, narrow_, projected + wide_, linears_.qkv->out(), k, narrow_);
      copy_columns(n, narrow_, projected + wide_ + narrow_, linears_.qkv->out(), v, narrow_);
    } else {
      linears_.q->multiply(n, normal, q), linears_.k->multiply(n, normal, k), linears_.v->multiply(n, normal, v);
    }
    if (layer_.q_norm) norm_forward(*layer_.q_norm, n * wide_, q, write_row(kept.q, row), kept.q_norm.written(row));
    if (layer_.k_norm) norm_forward(*layer_.k_norm, n * narrow_, k, write_row(kept.k, row), kept.k_norm.written(row));
    rotate(share, layer_.shape.heads, write_row(kept.q, row), false);
    rotate(share, layer_.shape.kv_heads, write_row(kept.k, row), false);
  }

  void attend(const Share& share, const Activations& kept) const {
    const int64_t row = share.first_row;
    attention_forward(layer_.shape, spans(share, write_row(kept.k, row), write_row(kept.v, row)),
                      write_row(kept.q, row), write_row(kept.attended, row), write_row(kept.log_sum_exp, row));
  }

  /// From attention's result on.
  void feed_forward(const Share& share, const Activations& kept, const Tensor& y) const {
    const int64_t row = share.first_row, n = share.rows, size = n * linears_.up.out();
    float *middle = write_row(kept.middle, row), *normal = write_row(kept.middle_normal, row);
    float *up = write_row(kept.up, row), *inner = write_row(kept.inner, row);
    linears_.o.multiply(n, read_row(kept.attended, row), middle);
    add(n * columns_, read_row(kept.x, row), middle);
    norm_forward(layer_.feed_forward_norm, n * columns_, middle, normal, kept.feed_forward_norm.written(row));
    linears_.up.multiply(n, normal, up);
    if (linears_.gate) {
      float* gate = write_row(kept.gate, row);
      linears_.gate->multiply(n, normal, gate);
      gated_forward(layer_.act, size, gate, up, inner);
    } else {
      activation_forward(layer_.act, size, up, inner);
    }
    linears_.down.multiply(n, inner, write_row(y, row));
    add(n * columns_, middle, write_row(y, row));
  }

  LinearsOf<DirectedLinear> linears_;
};

}  // namespace

Tensor layer_forward(const DecoderLayer& layer, const DecoderContext& context, const Tensor& x, Activations& kept) {
  return ForwardPass(layer, context).run(x, kept);
}

}  // namespace agro
