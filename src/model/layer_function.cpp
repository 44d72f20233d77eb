#include "model/layer_function.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/parallel.h"
#include "model/layer_call.h"
#include "model/row_kernels.h"
#include "model/shares.h"
#include "model/weight_gradients.h"

namespace agro {
namespace {

float* row_of(const Tensor& t, int64_t row) {
  return t.defined() ? write_pointer<float>(t) + row * t.stride(0) : nullptr;
}

/// A norm's statistics, for each of the N tokens a row [N, norms in a row].
struct NormStatistics {
  Tensor mean, inverse;

  NormRows at(int64_t token) const { return {row_of(mean, token), row_of(inverse, token)}; }
};

/// What the forward pass keeps for the backward pass: rows [N, ·] of all tokens, float32. Undefined: the layer has
/// none.
struct Activations {
  Tensor x, normal;     // input, and after its norm
  Tensor raw_q, raw_k;  // before their norms
  Tensor q, k, v, attended, log_sum_exp;
  Tensor middle, middle_normal;  // after attention, and after the second norm
  Tensor gate, up, inner;        // inner: what `down` is applied to
  NormStatistics attention_norm, feed_forward_norm, q_norm, k_norm;

  template <class F>
  void each(F&& f) {
    for (Tensor* t : {&x, &normal, &raw_q, &raw_k, &q, &k, &v, &attended, &log_sum_exp, &middle, &middle_normal, &gate,
                      &up, &inner})
      f(*t);
    for (NormStatistics* s : {&attention_norm, &feed_forward_norm, &q_norm, &k_norm}) f(s->mean), f(s->inverse);
  }
};

/// A linear layer in one direction.
struct Product {
  std::optional<RightHandSide> own;
  const RightHandSide* weight = nullptr;
  const float* bias = nullptr;
  int64_t in = 0, out = 0;

  static Product forward(const LinearWeight& w) {
    Product p;
    p.weight = &w.pack->get(w.weight, w.layout, w.products);
    p.bias = w.bias.defined() ? read_pointer<float>(w.bias) : nullptr;
    p.in = w.in_features(), p.out = w.out_features();
    return p;
  }

  /// Of dy, to dx. Rounded copies are kept with the weight, others refer to it.
  static Product backward(const LinearWeight& w) {
    Product p;
    if (w.products == Products::kBFloat16)
      p.weight = &w.pack->get(w.weight, w.layout, w.products, true);
    else
      p.own = pack_weight(w.weight, w.layout, true, w.products);
    p.in = w.out_features(), p.out = w.in_features();
    return p;
  }

  /// y (+)= x · weight (+ bias).
  void multiply(int64_t rows, const float* x, float* y, bool accumulate = false) const {
    matmul({x, rows, in}, own ? *own : *weight, y, out, {.bias = bias, .accumulate = accumulate});
  }
};

/// Both directions' common part: the layer, the batch and its shares.
class LayerPass {
 public:
  LayerPass(const DecoderLayer& layer, const DecoderContext& context)
      : layer_(layer),
        context_(context),
        tokens_(context.offsets.back()),
        columns_(layer.attention_norm.weight.size(0)),
        wide_(layer.shape.heads * layer.shape.head_dim),
        narrow_(layer.shape.kv_heads * layer.shape.head_dim) {
    for (const LinearWeight* w : layer.linears())
      weight_bytes_ += w->weight.numel() * (w->products == Products::kBFloat16 ? 2 : 4);
  }

 protected:
  Tensor rows(int64_t columns) const { return rows(tokens_, columns); }
  static Tensor rows(int64_t count, int64_t columns) { return torch::empty({count, columns}, torch::kFloat); }

  /// f(share) for the shares of a part of the batch, on the threads.
  template <class F>
  void for_shares(const Share& part, F&& f) const {
    std::vector<Share> shares;
    divide_into_shares({context_.offsets, context_.prefixes}, part, weight_bytes_, shares);
    parallel_for_rethrowing(static_cast<int64_t>(shares.size()), [&](int64_t i) { f(shares[static_cast<size_t>(i)]); });
  }

  std::vector<AttentionSpan> spans(const Share& share, const float* k, const float* v) const {
    std::vector<AttentionSpan> result;
    for (int64_t s = share.begin; s < share.end; ++s) {
      const auto sequence = static_cast<size_t>(s);
      const int64_t row = context_.offsets[sequence] - share.first_row;
      const int64_t prefix = context_.prefixes.empty() ? -1 : context_.prefixes[sequence];
      result.push_back({row, context_.offsets[sequence + 1] - context_.offsets[sequence], k + row * narrow_,
                        v + row * narrow_, 1, prefix < 0 ? -1 : prefix - share.begin});
    }
    return result;
  }

  void rotate(const Share& share, int64_t heads, float* x, bool inverse) const {
    if (!context_.rope.defined()) return;
    rotary_embedding(share.rows, heads, layer_.shape.head_dim,
                     read_pointer<int64_t>(context_.positions) + share.first_row, read_pointer<float>(context_.rope), x,
                     x, inverse);
  }

  const DecoderLayer& layer_;
  const DecoderContext& context_;
  int64_t tokens_, columns_, wide_, narrow_;
  int64_t weight_bytes_ = 0;
};

class ForwardPass : LayerPass {
 public:
  ForwardPass(const DecoderLayer& layer, const DecoderContext& context)
      : LayerPass(layer, context),
        o_(Product::forward(layer.o)),
        up_(Product::forward(layer.up)),
        down_(Product::forward(layer.down)) {
    if (layer.qkv)
      qkv_ = Product::forward(*layer.qkv);
    else
      q_ = Product::forward(layer.q), k_ = Product::forward(layer.k), v_ = Product::forward(layer.v);
    if (layer.gate) gate_ = Product::forward(*layer.gate);
  }

  /// The layer's result; `kept` is filled.
  Tensor run(const Tensor& x, Activations& kept) {
    provide(x, kept);
    const Tensor y = rows(columns_), all = qkv_ ? rows(qkv_->out) : Tensor();
    for_shares(whole(context_.offsets), [&](const Share& share) {
      project(share, kept, all);
      attend(share, kept);
      feed_forward(share, kept, y);
    });
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
    kept.up = rows(up_.out), kept.inner = rows(up_.out);
    if (gate_) kept.gate = rows(up_.out);
  }

  void project(const Share& share, const Activations& kept, const Tensor& all) const {
    const int64_t row = share.first_row, n = share.rows;
    float* normal = row_of(kept.normal, row);
    norm_forward(layer_.attention_norm, n * columns_, row_of(kept.x, row), normal, kept.attention_norm.at(row));
    float *q = row_of(layer_.q_norm ? kept.raw_q : kept.q, row), *k = row_of(layer_.k_norm ? kept.raw_k : kept.k, row);
    float* v = row_of(kept.v, row);
    if (qkv_) {
      float* projected = row_of(all, row);
      qkv_->multiply(n, normal, projected);
      copy_columns(n, wide_, projected, qkv_->out, q, wide_);
      copy_columns(n, narrow_, projected + wide_, qkv_->out, k, narrow_);
      copy_columns(n, narrow_, projected + wide_ + narrow_, qkv_->out, v, narrow_);
    } else {
      q_->multiply(n, normal, q), k_->multiply(n, normal, k), v_->multiply(n, normal, v);
    }
    if (layer_.q_norm) norm_forward(*layer_.q_norm, n * wide_, q, row_of(kept.q, row), kept.q_norm.at(row));
    if (layer_.k_norm) norm_forward(*layer_.k_norm, n * narrow_, k, row_of(kept.k, row), kept.k_norm.at(row));
    rotate(share, layer_.shape.heads, row_of(kept.q, row), false);
    rotate(share, layer_.shape.kv_heads, row_of(kept.k, row), false);
  }

  void attend(const Share& share, const Activations& kept) const {
    const int64_t row = share.first_row;
    attention_forward(layer_.shape, spans(share, row_of(kept.k, row), row_of(kept.v, row)), row_of(kept.q, row),
                      row_of(kept.attended, row), row_of(kept.log_sum_exp, row));
    float* middle = row_of(kept.middle, row);
    o_.multiply(share.rows, row_of(kept.attended, row), middle);
    add(share.rows * columns_, row_of(kept.x, row), middle);
  }

  void feed_forward(const Share& share, const Activations& kept, const Tensor& y) const {
    const int64_t row = share.first_row, n = share.rows, size = n * up_.out;
    float *middle = row_of(kept.middle, row), *normal = row_of(kept.middle_normal, row);
    float *up = row_of(kept.up, row), *inner = row_of(kept.inner, row);
    norm_forward(layer_.feed_forward_norm, n * columns_, middle, normal, kept.feed_forward_norm.at(row));
    up_.multiply(n, normal, up);
    if (gate_) {
      float* gate = row_of(kept.gate, row);
      gate_->multiply(n, normal, gate);
      gated_forward(layer_.act, size, gate, up, inner);
    } else {
      activation_forward(layer_.act, size, up, inner);
    }
    down_.multiply(n, inner, row_of(y, row));
    add(n * columns_, middle, row_of(y, row));
  }

  std::optional<Product> qkv_, q_, k_, v_, gate_;
  Product o_, up_, down_;
};

/// Part after part of the batch: what is computed on the way to the weights' gradients is as large as a part, which
/// the caches hold better than the whole.
class BackwardPass : LayerPass {
 public:
  BackwardPass(const DecoderLayer& layer, const DecoderContext& context, const Activations& kept, const Tensor& dy)
      : LayerPass(layer, context),
        kept_(kept),
        dy_(dy),
        o_(Product::backward(layer.o)),
        up_(Product::backward(layer.up)),
        down_(Product::backward(layer.down)),
        weights_(layer) {
    if (layer.qkv)
      qkv_ = Product::backward(*layer.qkv);
    else
      q_ = Product::backward(layer.q), k_ = Product::backward(layer.k), v_ = Product::backward(layer.v);
    if (layer.gate) gate_ = Product::backward(*layer.gate);
  }

  /// The gradient of the layer's input, then those of its tensors in the order of DecoderLayer::trainable().
  variable_list run() {
    dx_ = rows(columns_);
    std::vector<Share> parts;
    cut({context_.offsets, context_.prefixes}, whole(context_.offsets), std::max<int64_t>(1, tokens_ / part_rows()),
        parts);
    provide(parts);
    for (const Share& part : parts) {
      first_row_ = part.first_row;
      for_shares(part, [&](const Share& share) {
        feed_forward(share);
        attend(share);
        project(share);
      });
      add_weight_gradients(part);
    }
    variable_list result = weights_.sums();
    result.insert(result.begin(), dx_);
    return result;
  }

 private:
  /// Adding to the weights' gradients once more is to cost little beside what the part itself reads and writes. Does
  /// not depend on the number of threads: the order of the sums does not either.
  int64_t part_rows() const {
    constexpr int64_t kFewest = 1024, kPartsOfWeights = 4;
    int64_t parameters = 0;
    for (const LinearWeight* w : layer_.linears()) parameters += w->weight.numel();
    return std::max(kFewest, kPartsOfWeights * parameters / (4 * columns_ + 2 * wide_ + 2 * narrow_ + 3 * up_.in));
  }

  void provide(const std::vector<Share>& parts) {
    int64_t most = 0;
    for (const Share& part : parts) most = std::max(most, part.rows);
    dnormal_ = rows(most, columns_), dmiddle_ = rows(most, columns_), dmiddle_normal_ = rows(most, columns_);
    dup_ = rows(most, up_.in);
    if (gate_) dgate_ = rows(most, up_.in);
    dq_ = rows(most, wide_), dk_ = rows(most, narrow_), dv_ = rows(most, narrow_);
    if (qkv_) dqkv_ = rows(most, qkv_->in);
    if (layer_.q_norm) draw_q_ = rows(most, wide_);
    if (layer_.k_norm) draw_k_ = rows(most, narrow_);
  }

  /// A row of the batch in what is as large as a part.
  float* in_part(const Tensor& t, int64_t row) const { return row_of(t, row - first_row_); }

  /// From dy to dmiddle, by way of the feed-forward block and around it.
  void feed_forward(const Share& share) const {
    const int64_t row = share.first_row, n = share.rows, size = n * up_.in;
    float *dup = in_part(dup_, row), *dmiddle_normal = in_part(dmiddle_normal_, row), *dmiddle = in_part(dmiddle_, row);
    const float *dy = row_of(dy_, row), *up = row_of(kept_.up, row);
    if (gate_) {
      float* dgate = in_part(dgate_, row);  // at first the gradient of `inner`
      down_.multiply(n, dy, dgate);
      gated_backward(layer_.act, size, dgate, row_of(kept_.gate, row), up, dgate, dup);
      up_.multiply(n, dup, dmiddle_normal);
      gate_->multiply(n, dgate, dmiddle_normal, true);
    } else {
      down_.multiply(n, dy, dup);
      activation_backward(layer_.act, size, dup, up, dup);
      up_.multiply(n, dup, dmiddle_normal);
    }
    norm_backward(layer_.feed_forward_norm, n * columns_, dmiddle_normal, row_of(kept_.middle, row),
                  kept_.feed_forward_norm.at(row), dmiddle);
    add(n * columns_, dy, dmiddle);
  }

  /// From dmiddle to dq, dk, dv.
  void attend(const Share& share) const {
    const int64_t row = share.first_row;
    float *dq = in_part(dq_, row), *dk = in_part(dk_, row);
    o_.multiply(share.rows, in_part(dmiddle_, row), dq);
    attention_backward(layer_.shape, spans(share, row_of(kept_.k, row), row_of(kept_.v, row)), dq, row_of(kept_.q, row),
                       row_of(kept_.attended, row), row_of(kept_.log_sum_exp, row), dq, dk, in_part(dv_, row));
    rotate(share, layer_.shape.heads, dq, true);
    rotate(share, layer_.shape.kv_heads, dk, true);
  }

  /// From dq, dk, dv to dx, by way of the projections and around them.
  void project(const Share& share) const {
    const int64_t row = share.first_row, n = share.rows;
    const float *dq = in_part(dq_, row), *dk = in_part(dk_, row), *dv = in_part(dv_, row);
    float *dnormal = in_part(dnormal_, row), *dx = row_of(dx_, row);
    if (layer_.q_norm) {
      norm_backward(*layer_.q_norm, n * wide_, dq, row_of(kept_.raw_q, row), kept_.q_norm.at(row),
                    in_part(draw_q_, row));
      dq = in_part(draw_q_, row);
    }
    if (layer_.k_norm) {
      norm_backward(*layer_.k_norm, n * narrow_, dk, row_of(kept_.raw_k, row), kept_.k_norm.at(row),
                    in_part(draw_k_, row));
      dk = in_part(draw_k_, row);
    }
    if (qkv_) {
      float* all = in_part(dqkv_, row);
      copy_columns(n, wide_, dq, wide_, all, qkv_->in);
      copy_columns(n, narrow_, dk, narrow_, all + wide_, qkv_->in);
      copy_columns(n, narrow_, dv, narrow_, all + wide_ + narrow_, qkv_->in);
      qkv_->multiply(n, all, dnormal);
    } else {
      q_->multiply(n, dq, dnormal);
      k_->multiply(n, dk, dnormal, true);
      v_->multiply(n, dv, dnormal, true);
    }
    norm_backward(layer_.attention_norm, n * columns_, dnormal, row_of(kept_.x, row), kept_.attention_norm.at(row), dx);
    add(n * columns_, in_part(dmiddle_, row), dx);
  }

  void add_weight_gradients(const Share& part) {
    const int64_t row = part.first_row, n = part.rows;
    const auto add_norm = [&](const Norm& norm, int64_t columns, const Tensor& dy, const Tensor& x,
                              const NormStatistics& statistics) {
      weights_.norm(norm, n * columns, in_part(dy, row), row_of(x, row), statistics.at(row));
    };
    const auto add_linear = [&](const LinearWeight& w, const Tensor& dy, const Tensor& x) {
      weights_.linear(w, n, in_part(dy, row), row_of(x, row));
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
    weights_.linear(layer_.down, n, row_of(dy_, row), row_of(kept_.inner, row));
    weights_.multiply();
  }

  const Activations& kept_;
  const Tensor& dy_;
  std::optional<Product> qkv_, q_, k_, v_, gate_;
  Product o_, up_, down_;
  WeightGradients weights_;
  int64_t first_row_ = 0;  // of the part
  Tensor dx_;              // [N, C]
  // The gradients of what is named, of the rows of a part. draw_q_ and draw_k_ are those of raw_q and raw_k.
  Tensor dnormal_, dmiddle_, dmiddle_normal_, dgate_, dup_, dq_, dk_, dv_, dqkv_, draw_q_, draw_k_;
};

struct LayerFunction : torch::autograd::Function<LayerFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, at::TensorList parameters,
                        const c10::intrusive_ptr<LayerCall>& call) {
    Activations kept;
    const DecoderContext context = call->context();
    Tensor y = ForwardPass(call->layer, context).run(x.contiguous(), kept);
    variable_list saved;
    kept.each([&](const Tensor& t) { saved.push_back(t); });
    // The parameters are saved for LibTorch's check that nobody changed them in between.
    saved.insert(saved.end(), parameters.begin(), parameters.end());
    ctx->save_for_backward(saved);
    ctx->saved_data["call"] = at::IValue::make_capsule(call);
    return y;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const variable_list saved = ctx->get_saved_variables();
    const auto call = at::static_intrusive_pointer_cast<LayerCall>(ctx->saved_data["call"].toCapsule());
    Activations kept;
    auto next = saved.begin();
    kept.each([&](Tensor& t) { t = *next++; });
    const DecoderContext context = call->context();
    const Tensor dy = grads[0].contiguous();
    variable_list result = BackwardPass(call->layer, context, kept, dy).run();
    result.emplace_back();  // of `call`
    return result;
  }
};

/// Whether all of the layer's tensors are trained, and nothing else.
bool trains_all_weights(const DecoderLayer& layer) {
  const auto trained = [](const Tensor& t) { return !t.defined() || (t.requires_grad() && on_kernel_path(t)); };
  const auto trained_norm = [&](const Norm& norm) { return trained(norm.weight) && trained(norm.bias); };
  const auto trained_linear = [&](const LinearWeight* w) {
    return !w->low_rank && trained(w->weight) && trained(w->bias);
  };
  return trained_norm(layer.attention_norm) && trained_norm(layer.feed_forward_norm) &&
         (!layer.q_norm || trained_norm(*layer.q_norm)) && (!layer.k_norm || trained_norm(*layer.k_norm)) &&
         std::ranges::all_of(layer.linears(), trained_linear);
}

}  // namespace

Tensor forward_layer(const DecoderLayer& layer, const Tensor& x, int64_t index, const DecoderContext& context) {
  if (context.cache != nullptr || !records_graph() || !on_kernel_path(x) || !trains_all_weights(layer))
    return layer.forward(x, index, context);
  check_shape(x, {context.offsets.back(), layer.attention_norm.weight.size(0)}, "input of a decoder layer");
  check_prefixes(context.prefixes, context.offsets);
  const std::vector<Tensor> parameters = layer.trainable();
  return LayerFunction::apply(x, at::TensorList(parameters), c10::make_intrusive<LayerCall>(layer, index, context));
}

}  // namespace agro
