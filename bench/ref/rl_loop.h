#pragma once
// An on-policy AGRO step as a plain LibTorch training loop has it: sampling without a graph and with a key/value cache,
// the reference's log-probabilities, the loss by LibTorch's operators on a padded batch, clipping, AdamW.
#include <torch/optim/adamw.h>

#include <vector>

#include "bench/ref/sampler.h"

namespace agro {

struct PlainRlOptions {
  double beta = 0.1;
  double learning_rate = 1e-4, beta1 = 0.9, beta2 = 0.95, eps = 1e-8;
  double clip_norm = 1.0;
};

class PlainRlLoop {
 public:
  /// Policy and frozen reference both begin as `model`.
  PlainRlLoop(const CausalLm& model, const PlainRlOptions& options);

  PlainSamples sample(const std::vector<TokenIds>& prompts, const PlainSampling& sampling) const {
    return plain_sample(policy_, prompts, sampling);
  }

  /// One update from prompts[g] with responses[g][i] and rewards[g][i], the same number for each prompt; returns the
  /// loss, mean over prompts of Var(r − β log π/π_ref) / 2β.
  double update(const std::vector<TokenIds>& prompts, const std::vector<std::vector<TokenIds>>& responses,
                const std::vector<std::vector<double>>& rewards);

 private:
  PlainRlOptions options_;
  PlainModel policy_, reference_;
  torch::optim::AdamW optimizer_;
};

}  // namespace agro
