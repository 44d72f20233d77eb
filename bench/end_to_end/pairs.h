#pragma once
// The same model twice, agro's and a plain LibTorch one, doing the same work: training steps and sampling.
#include <torch/optim/adamw.h>

#include "bench/end_to_end/measure.h"
#include "bench/end_to_end/models.h"
#include "bench/ref/sampler.h"
#include "generate/engine.h"
#include "train/optimizer.h"

namespace agro {

/// Forward, backward, clipping and AdamW on rows of equal length.
class TrainingPair {
 public:
  /// `products` are agro's; the plain model's are float32.
  TrainingPair(const std::string& config_text, int64_t rows, int64_t tokens, Products products);

  /// Three updates of both, whose losses must agree within `tolerance`, relative.
  void check(double tolerance);

  /// Each does one update and returns the loss before it.
  double step();
  double plain_step();

  /// Forward and backward alone.
  double pass();
  double plain_pass();

  double tokens() const { return static_cast<double>(ids_.numel()); }
  double operations() const;

 private:
  CausalLm model_;
  PlainModel plain_;
  std::vector<TokenIds> sequences_;
  std::vector<PromptCompletion> items_;
  Tensor ids_, targets_;
  AdamW optimizer_;
  torch::optim::AdamW plain_optimizer_;
};

/// One response to each prompt, all of one length, log-probs included.
class SamplingPair {
 public:
  SamplingPair(const std::string& config_text, int64_t sequences, int64_t prompt_tokens, int64_t new_tokens);

  /// agro's; the plain model's are float32.
  void set_products(Products products) { model_.set_products(products); }

  /// Feeds agro's tokens to the plain sampler, which must give them the same log-probs within `tolerance`, on average.
  void check(double tolerance) const;

  /// Each returns the number of tokens.
  double sample() const;
  double plain_sample() const;

  const ModelConfig& config() const { return model_.config(); }

 private:
  std::vector<std::vector<Completion>> generate() const;

  CausalLm model_;
  PlainModel plain_;
  std::vector<TokenIds> prompts_;
  std::vector<GenerationRequest> requests_;
  SamplingConfig sampling_;
};

}  // namespace agro
