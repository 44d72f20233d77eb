#include "model/decoder_layer.h"

#include <algorithm>

#include "tensor/ops/norm.h"

namespace agro {
namespace {

template <class Pointer, class Layer>
std::vector<Pointer> linears_of(Layer& layer) {
  std::vector<Pointer> all;
  if (layer.qkv) {
    all.push_back(&*layer.qkv);
  } else {
    all.insert(all.end(), {&layer.q, &layer.k, &layer.v});
  }
  all.push_back(&layer.o);
  if (layer.gate) all.push_back(&*layer.gate);
  all.insert(all.end(), {&layer.up, &layer.down});
  return all;
}

}  // namespace

Tensor Norm::operator()(const Tensor& x) const {
  return bias.defined() ? layer_norm(x, weight, bias, epsilon) : rms_norm(x, weight, epsilon);
}

std::vector<LinearWeight*> DecoderLayer::linears() { return linears_of<LinearWeight*>(*this); }
std::vector<const LinearWeight*> DecoderLayer::linears() const { return linears_of<const LinearWeight*>(*this); }

std::vector<Tensor> DecoderLayer::tensors() const {
  std::vector<Tensor> all;
  const auto add = [&](const Tensor& t) {
    if (t.defined()) all.push_back(t);
  };
  for (const Norm* norm : {&attention_norm, &feed_forward_norm}) add(norm->weight), add(norm->bias);
  for (const auto* norm : {&q_norm, &k_norm})
    if (*norm) add((*norm)->weight), add((*norm)->bias);
  for (const LinearWeight* w : linears()) {
    add(w->weight), add(w->bias);
    if (w->low_rank) add(w->low_rank->a), add(w->low_rank->b);
  }
  return all;
}

std::vector<Tensor> DecoderLayer::trainable() const {
  std::vector<Tensor> all = tensors();
  std::erase_if(all, [](const Tensor& t) { return !t.requires_grad(); });
  return all;
}

bool DecoderLayer::has_low_rank() const {
  return std::ranges::any_of(linears(), [](const LinearWeight* w) { return w->low_rank.has_value(); });
}

int64_t DecoderLayer::weight_bytes() const {
  int64_t bytes = 0;
  for (const LinearWeight* w : linears()) bytes += w->weight.numel() * (w->products == Products::kBFloat16 ? 2 : 4);
  return bytes;
}

void DecoderLayer::set_products(Products products) {
  for (LinearWeight* weight : linears()) weight->products = products;
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
