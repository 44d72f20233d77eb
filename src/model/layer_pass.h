#pragma once
// What the two passes through a decoder layer have in common: what is kept between them, linear layers as products in
// either direction, and the division of a batch among threads.
#include <optional>
#include <vector>

#include "core/parallel.h"
#include "model/linears_of.h"
#include "model/row_kernels.h"
#include "model/shares.h"

namespace agro {

/// Row `row` of t [N, ·], dense float32, to be written; null where t is undefined.
float* write_row(const Tensor& t, int64_t row);
/// The same to be read.
const float* read_row(const Tensor& t, int64_t row);

/// A norm's statistics, for each of the N tokens a row [N, norms in a row].
struct NormStatistics {
  Tensor mean, inverse;

  NormRows written(int64_t token) const { return {write_row(mean, token), write_row(inverse, token)}; }
  ReadNormRows read(int64_t token) const { return {read_row(mean, token), read_row(inverse, token)}; }
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

  /// f(tensor) for all of them, in one order.
  template <class F>
  void each(F&& f) {
    for (Tensor* t : {&x, &normal, &raw_q, &raw_k, &q, &k, &v, &attended, &log_sum_exp, &middle, &middle_normal, &gate,
                      &up, &inner})
      f(*t);
    for (NormStatistics* s : {&attention_norm, &feed_forward_norm, &q_norm, &k_norm}) f(s->mean), f(s->inverse);
  }
};

/// A linear layer as a product, from x to y or from dy to dx. May refer to the layer's weight and packs.
class DirectedLinear {
 public:
  static DirectedLinear forward(const LinearWeight& w);
  static DirectedLinear backward(const LinearWeight& w);

  int64_t in() const { return in_; }
  int64_t out() const { return out_; }

  /// to [rows, out] (+)= from [rows, in] · weight (+ bias, forward).
  void multiply(int64_t rows, const float* from, float* to, bool accumulate = false) const;

 private:
  std::optional<RightHandSide> own_;
  const RightHandSide* weight_ = nullptr;
  const float* bias_ = nullptr;
  int64_t in_ = 0, out_ = 0;
};

/// A layer, a batch, and the batch's shares.
class LayerPass {
 public:
  LayerPass(const DecoderLayer& layer, const DecoderContext& context);

 protected:
  /// [N, columns], not filled.
  Tensor rows(int64_t columns) const { return rows(tokens_, columns); }
  static Tensor rows(int64_t count, int64_t columns) { return torch::empty({count, columns}, torch::kFloat); }

  /// Takes a part of the batch through a pass's three phases, on the threads: before(share), which looks at rows alone,
  /// attend(share), which looks at whole sequences, and after(share), at rows alone again. A thread takes sequences
  /// through all three where there are enough of them for all threads. Where there are not, as in one group with its
  /// prompt, attention divides its own work, and the threads share the rows before and after it.
  template <class Before, class Attend, class After>
  void run_phases(const Share& part, Before&& before, Attend&& attend, After&& after) const {
    std::vector<Share> shares;
    divide_into_shares(batch(), part, layer_.weight_bytes(), shares);
    const auto on_threads = [&](auto&& f) {
      parallel_for_rethrowing(static_cast<int64_t>(shares.size()),
                              [&](int64_t i) { f(shares[static_cast<size_t>(i)]); });
    };
    if (shares.size() > 1) {
      on_threads([&](const Share& share) { before(share), attend(share), after(share); });
      return;
    }
    divide_rows(part, layer_.weight_bytes(), shares);
    on_threads(before);
    attend(part);
    on_threads(after);
  }

  PackedSequences batch() const { return {context_.offsets, context_.prefixes}; }
  /// A share's sequences; k and v of its first row.
  std::vector<AttentionSpan> spans(const Share& share, const float* k, const float* v) const;
  /// A share's queries or keys, in place.
  void rotate(const Share& share, int64_t heads, float* x, bool inverse) const;

  const DecoderLayer& layer_;
  const DecoderContext& context_;
  int64_t tokens_, columns_, wide_, narrow_;  // N; widths of the residual stream, of queries, of keys
};

}  // namespace agro
