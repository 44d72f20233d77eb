#include "model/layer_pass.h"

namespace agro {

float* write_row(const Tensor& t, int64_t row) {
  return t.defined() ? write_pointer<float>(t) + row * t.stride(0) : nullptr;
}
const float* read_row(const Tensor& t, int64_t row) {
  return t.defined() ? read_pointer<float>(t) + row * t.stride(0) : nullptr;
}

DirectedLinear DirectedLinear::forward(const LinearWeight& w) {
  DirectedLinear p;
  p.weight_ = &w.pack->get(w.weight, w.layout, w.products);
  p.bias_ = w.bias.defined() ? read_pointer<float>(w.bias) : nullptr;
  p.in_ = w.in_features(), p.out_ = w.out_features();
  return p;
}

DirectedLinear DirectedLinear::backward(const LinearWeight& w) {
  DirectedLinear p;
  // Rounded copies are kept with the weight; others mostly refer to it.
  if (w.products == Products::kBFloat16)
    p.weight_ = &w.pack->get(w.weight, w.layout, w.products, true);
  else
    p.own_ = pack_weight(w.weight, w.layout, true, w.products);
  p.in_ = w.out_features(), p.out_ = w.in_features();
  return p;
}

void DirectedLinear::multiply(int64_t rows, const float* from, float* to, bool accumulate) const {
  matmul({from, rows, in_}, own_ ? *own_ : *weight_, to, out_, {.bias = bias_, .accumulate = accumulate});
}

LayerPass::LayerPass(const DecoderLayer& layer, const DecoderContext& context)
    : layer_(layer),
      context_(context),
      tokens_(context.offsets.back()),
      columns_(layer.attention_norm.weight.size(0)),
      wide_(layer.shape.heads * layer.shape.head_dim),
      narrow_(layer.shape.kv_heads * layer.shape.head_dim) {}

std::vector<AttentionSpan> LayerPass::spans(const Share& share, const float* k, const float* v) const {
  std::vector<AttentionSpan> result;
  append_spans(context_.offsets, context_.prefixes, share.begin, share.end, k, v, narrow_, result);
  return result;
}

void LayerPass::rotate(const Share& share, int64_t heads, float* x, bool inverse) const {
  if (!context_.rope.defined()) return;
  rotary_embedding(share.rows, heads, layer_.shape.head_dim,
                   read_pointer<int64_t>(context_.positions) + share.first_row, read_pointer<float>(context_.rope), x,
                   x, inverse);
}

}  // namespace agro
