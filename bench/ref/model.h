#pragma once
// A Llama or a GPT-2 in plain LibTorch: the forward pass one would write without agro, given every advantage that costs
// no kernel: batched tensors, a preallocated key/value cache, heads that share keys in one product.
#include <vector>

#include "model/causal_lm.h"

namespace agro {

/// Keys and values of a batch being sampled, by layer: [B, K, capacity, D], of which the first `length` are filled.
struct PlainCache {
  std::vector<Tensor> keys, values;
  int64_t length = 0;
};

/// Rows of a batch that begin with padding.
struct PlainPadding {
  Tensor columns;  // [B] int64: how many of them; undefined where no row has any
};

class PlainModel {
 public:
  /// A copy of the model's float32 weights. No norms of query and key heads, no biases in a Llama.
  explicit PlainModel(const CausalLm& model);

  const ModelConfig& config() const { return config_; }
  /// In the order of the model's.
  const std::vector<Tensor>& parameters() const { return parameters_; }

  /// ids [B, T] → [B, T, C] after the final norm, differentiable. With a cache: they follow what is in it, and join it.
  Tensor hidden_states(const Tensor& ids, PlainCache* cache = nullptr, const PlainPadding& padding = {}) const;

  /// hidden [.., C] → [.., V].
  Tensor logits(const Tensor& hidden) const { return at::linear(hidden, head_); }

  /// log π(targets) for ids, targets [B, T]: [B, T], differentiable.
  Tensor logprobs(const Tensor& ids, const Tensor& targets) const;

  /// The same for chosen places alone: rows [N] into B·T, targets [N] → [N].
  Tensor logprobs_at(const Tensor& ids, const Tensor& rows, const Tensor& targets) const;

  PlainCache make_cache(int64_t sequences, int64_t capacity) const;

 private:
  struct Layer {
    Tensor norm, norm_bias, q, k, v, qkv, qkv_bias, o, o_bias;
    Tensor second_norm, second_norm_bias, gate, up, up_bias, down, down_bias;
  };
  struct Places;
  Tensor normalize(const Tensor& x, const Tensor& weight, const Tensor& bias) const;
  Tensor attend(const Layer& layer, const Tensor& x, const Places& places, Tensor* keys, Tensor* values) const;
  Tensor feed_forward(const Layer& layer, const Tensor& x) const;

  ModelConfig config_;
  std::vector<Tensor> parameters_;
  std::vector<Layer> layers_;
  Tensor embedding_, positions_, final_norm_, final_norm_bias_, head_, cosine_, sine_, mask_;
};

}  // namespace agro
