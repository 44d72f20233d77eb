#pragma once
// A Llama in plain LibTorch: the training and sampling loops one would write without agro, given every advantage that
// costs no kernel: batched tensors without padding, a preallocated key/value cache, no graph while sampling.
#include <vector>

#include "model/causal_lm.h"

namespace agro {

class PlainLlama {
 public:
  /// A copy of the model's weights. One key/value head per query head, no biases, tied or untied head.
  explicit PlainLlama(const CausalLm& model);

  const std::vector<Tensor>& parameters() const { return parameters_; }

  /// log π(targets) for ids, targets [B, T]: [B, T], differentiable.
  Tensor logprobs(const Tensor& ids, const Tensor& targets) const;

  struct Samples {
    Tensor ids;       // [B, n] int64
    Tensor logprobs;  // [B, n] of each id
  };
  /// n tokens after each prompt [B, P]; `forced` [B, n] takes the place of drawing where it is defined.
  Samples sample(const Tensor& prompts, int64_t n, const Tensor& forced = {}) const;

 private:
  struct Layer {
    Tensor attention_norm, q, k, v, o, feed_forward_norm, gate, up, down;
  };
  struct Cache;
  Tensor hidden_states(const Tensor& ids, int64_t first_position, Cache* cache) const;
  Tensor attend(const Layer& layer, const Tensor& x, int64_t first_position, Tensor* keys, Tensor* values) const;

  ModelConfig config_;
  std::vector<Tensor> parameters_;
  std::vector<Layer> layers_;
  Tensor embedding_, final_norm_, head_, cosine_, sine_, mask_;
};

}  // namespace agro
