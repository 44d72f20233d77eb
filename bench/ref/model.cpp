#include "bench/ref/model.h"

#include <unordered_map>

#include "bench/ref/operators.h"
#include "model/rope.h"

namespace agro {

/// Where the new tokens of a pass stand.
struct PlainModel::Places {
  int64_t first = 0;  // column of the first new token
  Tensor positions;   // [B, T] where rows differ, else undefined
  Tensor mask;        // for plain_attention or plain_decode_attention
  Tensor cosine, sine;
};

PlainModel::PlainModel(const CausalLm& model) : config_(model.config()) {
  const bool gpt2 = config_.family == ModelFamily::kGpt2;
  if (config_.qk_norm || config_.scale_attn_by_inverse_layer_idx || !config_.scale_attn_weights ||
      (!gpt2 && (config_.attention_bias || config_.attention_output_bias || config_.mlp_bias)))
    throw fail("the plain model cannot be this {}: it has one scale of attention, no norms of heads, and no biases",
               config_.model_type);
  std::unordered_map<std::string, Tensor> copies;
  for (const NamedTensor& p : model.parameters()) {
    parameters_.push_back(p.tensor.detach().to(torch::kFloat).clone().set_requires_grad(true));
    copies.emplace(p.name, parameters_.back());
  }
  const auto parameter = [&](const std::string& name) {
    const auto found = copies.find(name);
    if (found == copies.end()) throw fail("the model has no tensor '{}'", name);
    return found->second;
  };
  embedding_ = parameter(gpt2 ? "transformer.wte.weight" : "model.embed_tokens.weight");
  for (int64_t i = 0; i < config_.num_hidden_layers; ++i) {
    const auto part = [&](const char* name) {
      return parameter(fmt::format("{}.{}.{}", gpt2 ? "transformer.h" : "model.layers", i, name));
    };
    Layer layer;
    if (gpt2) {
      layer.norm = part("ln_1.weight"), layer.norm_bias = part("ln_1.bias");
      layer.qkv = part("attn.c_attn.weight"), layer.qkv_bias = part("attn.c_attn.bias");
      layer.o = part("attn.c_proj.weight"), layer.o_bias = part("attn.c_proj.bias");
      layer.second_norm = part("ln_2.weight"), layer.second_norm_bias = part("ln_2.bias");
      layer.up = part("mlp.c_fc.weight"), layer.up_bias = part("mlp.c_fc.bias");
      layer.down = part("mlp.c_proj.weight"), layer.down_bias = part("mlp.c_proj.bias");
    } else {
      layer.norm = part("input_layernorm.weight"), layer.second_norm = part("post_attention_layernorm.weight");
      layer.q = part("self_attn.q_proj.weight"), layer.k = part("self_attn.k_proj.weight");
      layer.v = part("self_attn.v_proj.weight"), layer.o = part("self_attn.o_proj.weight");
      layer.gate = part("mlp.gate_proj.weight"), layer.up = part("mlp.up_proj.weight");
      layer.down = part("mlp.down_proj.weight");
    }
    layers_.push_back(layer);
  }
  if (gpt2) {
    positions_ = parameter("transformer.wpe.weight");
    final_norm_ = parameter("transformer.ln_f.weight"), final_norm_bias_ = parameter("transformer.ln_f.bias");
  } else {
    final_norm_ = parameter("model.norm.weight");
    const Tensor angles = rope_table(config_, config_.max_position_embeddings);
    cosine_ = angles.narrow(1, 0, config_.head_dim / 2).contiguous();
    sine_ = angles.narrow(1, config_.head_dim / 2, config_.head_dim / 2).contiguous();
  }
  head_ = config_.tie_word_embeddings ? embedding_ : parameter("lm_head.weight");
  mask_ = causal_mask(config_.max_position_embeddings);
}

PlainCache PlainModel::make_cache(int64_t sequences, int64_t capacity) const {
  PlainCache cache;
  for (size_t i = 0; i < layers_.size(); ++i) {
    cache.keys.push_back(torch::empty({sequences, config_.num_key_value_heads, capacity, config_.head_dim}));
    cache.values.push_back(torch::empty_like(cache.keys.back()));
  }
  return cache;
}

Tensor PlainModel::normalize(const Tensor& x, const Tensor& weight, const Tensor& bias) const {
  return bias.defined() ? at::layer_norm(x, {config_.hidden_size}, weight, bias, config_.norm_epsilon)
                        : plain_rms_norm(x, weight, config_.norm_epsilon);
}

Tensor PlainModel::attend(const Layer& layer, const Tensor& x, const Places& places, Tensor* keys,
                          Tensor* values) const {
  const int64_t b = x.size(0), t = x.size(1), d = config_.head_dim;
  const auto heads_first = [&](const Tensor& y) { return y.reshape({b, t, -1, d}).transpose(1, 2); };
  Tensor q, k, v;
  if (layer.qkv.defined()) {
    const auto parts = at::linear(x, layer.qkv.t(), layer.qkv_bias).chunk(3, -1);
    q = heads_first(parts[0]), k = heads_first(parts[1]), v = heads_first(parts[2]);
  } else {
    q = plain_rotary(heads_first(at::linear(x, layer.q)), places.cosine, places.sine);
    k = plain_rotary(heads_first(at::linear(x, layer.k)), places.cosine, places.sine);
    v = heads_first(at::linear(x, layer.v));
  }
  if (keys != nullptr) {
    keys->narrow(2, places.first, t).copy_(k);
    values->narrow(2, places.first, t).copy_(v);
  }
  const Tensor out = places.first == 0 ? plain_attention(q, k, v, places.mask)
                                       : plain_decode_attention(q, *keys, *values, places.first + 1, places.mask);
  const Tensor rows = out.transpose(1, 2).reshape({b, t, config_.num_attention_heads * d});
  return layer.o_bias.defined() ? at::linear(rows, layer.o.t(), layer.o_bias) : at::linear(rows, layer.o);
}

Tensor PlainModel::feed_forward(const Layer& layer, const Tensor& x) const {
  if (!layer.gate.defined())
    return at::linear(at::gelu(at::linear(x, layer.up.t(), layer.up_bias), "tanh"), layer.down.t(), layer.down_bias);
  return at::linear(plain_swiglu(at::linear(x, layer.gate), at::linear(x, layer.up)), layer.down);
}

Tensor PlainModel::hidden_states(const Tensor& ids, PlainCache* cache, const PlainPadding& padding) const {
  const int64_t b = ids.size(0), t = ids.size(1);
  Places places;
  places.first = cache == nullptr ? 0 : cache->length;
  const int64_t end = places.first + t;
  if (places.first > 0 && t != 1) throw Error("the plain model continues a cache by one token at a time");
  if (places.first == 0) places.mask = mask_.narrow(0, 0, t).narrow(1, 0, t);
  if (padding.columns.defined()) {
    // Finite, so that a row of padding alone has a softmax.
    constexpr double kFar = -1e9;
    const Tensor columns = torch::arange(end), before = padding.columns.unsqueeze(1);
    const Tensor hidden = (columns.unsqueeze(0) < before).unsqueeze(1).to(torch::kFloat) * kFar;  // [B, 1, end]
    places.mask = places.first > 0 ? hidden : (mask_.narrow(0, 0, t).narrow(1, 0, t).clamp_min(kFar) + hidden);
    places.positions = (columns.narrow(0, places.first, t).unsqueeze(0) - before).clamp_min(0);
  }
  if (cosine_.defined()) {
    const auto of = [&](const Tensor& table) {
      return places.positions.defined()
                 ? table.index_select(0, places.positions.flatten()).view({b, 1, t, config_.head_dim / 2})
                 : table.narrow(0, places.first, t);
    };
    places.cosine = of(cosine_), places.sine = of(sine_);
  }
  Tensor x = at::embedding(embedding_, ids);
  if (positions_.defined())
    x = x + (places.positions.defined() ? at::embedding(positions_, places.positions)
                                        : positions_.narrow(0, places.first, t));
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    x = x + attend(layer, normalize(x, layer.norm, layer.norm_bias), places,
                   cache == nullptr ? nullptr : &cache->keys[i], cache == nullptr ? nullptr : &cache->values[i]);
    x = x + feed_forward(layer, normalize(x, layer.second_norm, layer.second_norm_bias));
  }
  if (cache != nullptr) cache->length = end;
  return normalize(x, final_norm_, final_norm_bias_);
}

Tensor PlainModel::logprobs(const Tensor& ids, const Tensor& targets) const {
  return plain_token_logprobs(hidden_states(ids), head_, targets);
}

Tensor PlainModel::logprobs_at(const Tensor& ids, const Tensor& rows, const Tensor& targets) const {
  const Tensor hidden = hidden_states(ids).view({-1, config_.hidden_size}).index_select(0, rows);
  return plain_token_logprobs(hidden, head_, targets);
}

}  // namespace agro
