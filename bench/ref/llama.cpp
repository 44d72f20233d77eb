#include "bench/ref/llama.h"

#include <algorithm>

#include "bench/ref/operators.h"
#include "model/rope.h"

namespace agro {

struct PlainLlama::Cache {
  std::vector<Tensor> keys, values;  // by layer: [B, H, capacity, D]
};

PlainLlama::PlainLlama(const CausalLm& model) : config_(model.config()) {
  const auto parameter = [&](const std::string& name) {
    const auto& all = model.parameters();
    const auto found = std::find_if(all.begin(), all.end(), [&](const NamedTensor& p) { return p.name == name; });
    if (found == all.end()) throw fail("the model has no tensor '{}'", name);
    parameters_.push_back(found->tensor.detach().clone().set_requires_grad(true));
    return parameters_.back();
  };
  embedding_ = parameter("model.embed_tokens.weight");
  for (int64_t i = 0; i < config_.num_hidden_layers; ++i) {
    const auto part = [&](const char* name) { return parameter(fmt::format("model.layers.{}.{}.weight", i, name)); };
    layers_.push_back({part("input_layernorm"), part("self_attn.q_proj"), part("self_attn.k_proj"),
                       part("self_attn.v_proj"), part("self_attn.o_proj"), part("post_attention_layernorm"),
                       part("mlp.gate_proj"), part("mlp.up_proj"), part("mlp.down_proj")});
  }
  final_norm_ = parameter("model.norm.weight");
  head_ = config_.tie_word_embeddings ? embedding_ : parameter("lm_head.weight");
  const Tensor angles = rope_table(config_, config_.max_position_embeddings);
  cosine_ = angles.narrow(1, 0, config_.head_dim / 2).contiguous();
  sine_ = angles.narrow(1, config_.head_dim / 2, config_.head_dim / 2).contiguous();
  mask_ = causal_mask(config_.max_position_embeddings);
}

Tensor PlainLlama::attend(const Layer& layer, const Tensor& x, int64_t first_position, Tensor* keys,
                          Tensor* values) const {
  const int64_t b = x.size(0), t = x.size(1), heads = config_.num_attention_heads, d = config_.head_dim;
  const auto heads_first = [&](const Tensor& y) { return y.view({b, t, heads, d}).transpose(1, 2); };
  const Tensor cosine = cosine_.narrow(0, first_position, t), sine = sine_.narrow(0, first_position, t);
  const Tensor q = plain_rotary(heads_first(at::linear(x, layer.q)), cosine, sine);
  const Tensor k = plain_rotary(heads_first(at::linear(x, layer.k)), cosine, sine);
  const Tensor v = heads_first(at::linear(x, layer.v));
  if (keys != nullptr) {
    keys->narrow(2, first_position, t).copy_(k);
    values->narrow(2, first_position, t).copy_(v);
  }
  const Tensor out = first_position == 0 ? plain_attention(q, k, v, mask_.narrow(0, 0, t).narrow(1, 0, t))
                                         : plain_decode_attention(q, *keys, *values, first_position + t);
  return at::linear(out.transpose(1, 2).reshape({b, t, heads * d}), layer.o);
}

Tensor PlainLlama::hidden_states(const Tensor& ids, int64_t first_position, Cache* cache) const {
  Tensor x = at::embedding(embedding_, ids);
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    x = x + attend(layer, plain_rms_norm(x, layer.attention_norm, config_.norm_epsilon), first_position,
                   cache == nullptr ? nullptr : &cache->keys[i], cache == nullptr ? nullptr : &cache->values[i]);
    const Tensor normal = plain_rms_norm(x, layer.feed_forward_norm, config_.norm_epsilon);
    x = x + at::linear(plain_swiglu(at::linear(normal, layer.gate), at::linear(normal, layer.up)), layer.down);
  }
  return plain_rms_norm(x, final_norm_, config_.norm_epsilon);
}

Tensor PlainLlama::logprobs(const Tensor& ids, const Tensor& targets) const {
  return plain_token_logprobs(hidden_states(ids, 0, nullptr), head_, targets);
}

PlainLlama::Samples PlainLlama::sample(const Tensor& prompts, int64_t n, const Tensor& forced) const {
  const torch::NoGradGuard no_grad;
  const int64_t b = prompts.size(0), length = prompts.size(1);
  Cache cache;
  for (size_t i = 0; i < layers_.size(); ++i) {
    cache.keys.push_back(torch::empty({b, config_.num_attention_heads, length + n, config_.head_dim}));
    cache.values.push_back(torch::empty_like(cache.keys.back()));
  }
  Samples samples{torch::empty({b, n}, torch::kInt64), torch::empty({b, n})};
  Tensor ids = prompts;
  for (int64_t i = 0; i < n; ++i) {
    const Tensor hidden = hidden_states(ids, i == 0 ? 0 : length + i - 1, &cache);
    const Tensor logprobs = at::linear(hidden.select(1, hidden.size(1) - 1), head_).log_softmax(-1);
    ids = forced.defined() ? forced.narrow(1, i, 1) : logprobs.exp().multinomial(1);
    samples.ids.narrow(1, i, 1).copy_(ids);
    samples.logprobs.narrow(1, i, 1).copy_(logprobs.gather(1, ids));
  }
  return samples;
}

}  // namespace agro
