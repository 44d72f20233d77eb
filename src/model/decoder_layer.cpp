#include "model/decoder_layer.h"

#include "tensor/ops/norm.h"

namespace agro {

Tensor Norm::operator()(const Tensor& x) const {
  return bias.defined() ? layer_norm(x, weight, bias, epsilon) : rms_norm(x, weight, epsilon);
}

void DecoderLayer::set_products(Products products) {
  for (LinearWeight* weight : {&q, &k, &v, &o, &up, &down}) weight->products = products;
  if (qkv) qkv->products = products;
  if (gate) gate->products = products;
}

Tensor DecoderLayer::attend(const Tensor& x, int64_t layer, const DecoderContext& context) const {
  Tensor queries, keys, values;
  if (qkv) {
    const auto parts = linear(x, *qkv).split(shape.heads * shape.head_dim, 1);
    queries = parts[0], keys = parts[1], values = parts[2];
  } else {
    queries = linear(x, q), keys = linear(x, k), values = linear(x, v);
  }
  if (q_norm) queries = (*q_norm)(queries);
  if (k_norm) keys = (*k_norm)(keys);
  if (context.rope.defined()) {
    queries = rotary(queries, context.positions, context.rope, shape.heads);
    keys = rotary(keys, context.positions, context.rope, shape.kv_heads);
  }
  if (context.cache == nullptr) return attention(queries, keys, values, shape, context.offsets, context.prefixes);
  return attention_cached(queries, keys, values, shape, context.offsets, *context.places, context.cache->keys(layer),
                          context.cache->values(layer));
}

Tensor DecoderLayer::forward(const Tensor& x, int64_t layer, const DecoderContext& context) const {
  const Tensor attended = x + linear(attend(attention_norm(x), layer, context), o);
  const Tensor normal = feed_forward_norm(attended);
  const Tensor inner =
      gate ? gated_activation(linear(normal, *gate), linear(normal, up), act) : activation(linear(normal, up), act);
  return attended + linear(inner, down);
}

}  // namespace agro
