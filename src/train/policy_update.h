#pragma once
// From a step's groups to parameter gradients: log-probabilities, the objective's weights, and the backward pass, cut
// into micro-batches that never split a group's statistics (objective.h says how).
#include <optional>
#include <unordered_map>

#include "model/completion_batch.h"
#include "objective/objective.h"
#include "train/rollout.h"

namespace agro {

/// Log-probs of the frozen reference; those of stored responses are computed once and kept.
class ReferenceLogprobs {
 public:
  ReferenceLogprobs(const CausalLm& reference, int64_t micro_batch_tokens);

  /// By token, packed in the order of the rollout: [Σ lengths] float64.
  Tensor of(const Rollout& rollout, const std::vector<TokenIds>& prompt_ids);

 private:
  const CausalLm& reference_;
  int64_t micro_batch_tokens_;
  std::unordered_map<uint64_t, std::vector<float>> stored_;  // by prompt index · 2³² + stored index
};

struct UpdateResult {
  double loss = 0;
  Metrics metrics;                 // the objective's
  std::vector<double> log_ratios;  // log π/π_ref by response, before the update
  double sampler_mismatch = 0;     // mean |Δ log π| per token between sampler and trainer, fresh responses
  int64_t tokens = 0;              // of prompts and responses in the pass
};

class PolicyUpdate {
 public:
  /// The references must outlive the object.
  PolicyUpdate(const CausalLm& policy, const CausalLm& reference, const Objective& objective,
               int64_t micro_batch_tokens);

  /// Adds d loss / d parameters to the gradients. The rollout must hold at least one group.
  UpdateResult accumulate_gradients(const Rollout& rollout, const std::vector<TokenIds>& prompt_ids);

 private:
  struct Forward {
    Tensor logprobs;            // [tokens of the micro-batch]
    Tensor full_vocabulary_kl;  // or undefined
  };
  Forward forward(std::span<const PromptCompletion> items) const;

  const CausalLm& policy_;
  const CausalLm& reference_;
  const Objective& objective_;
  int64_t micro_batch_tokens_;
  ReferenceLogprobs reference_logprobs_;
};

}  // namespace agro
