#pragma once
// From a step's groups to parameter gradients: log-probabilities, the objective's weights, and the backward pass, cut
// into micro-batches that never split a group's statistics (objective.h says how).
#include <optional>
#include <unordered_map>

#include "model/completion_batch.h"
#include "model/value_head.h"
#include "objective/objective.h"
#include "train/optimal_values.h"
#include "train/rollout.h"

namespace agro {

/// Log-probs of the reference; those of stored responses are computed once and kept.
class ReferenceLogprobs {
 public:
  ReferenceLogprobs(const CausalLm& reference, int64_t micro_batch_tokens);

  /// By token, packed in the order of the rollout: [Σ lengths] float64.
  Tensor of(const Rollout& rollout, const std::vector<TokenIds>& prompt_ids);

  /// To be called when the reference has changed.
  void forget() { stored_.clear(); }

 private:
  const CausalLm& reference_;
  int64_t micro_batch_tokens_;
  std::unordered_map<uint64_t, std::vector<float>> stored_;  // by prompt index · 2³² + stored index
};

/// Under whom stored responses are taken to have been drawn: as recorded with them, the reference, or the policy at a
/// rollout's first update, so that every ratio to the behaviour begins at 1.
enum class StoredBehavior { kRecorded, kReference, kPolicy };

struct PolicyUpdateOptions {
  int64_t micro_batch_tokens = 8192;
  StoredBehavior stored_behavior = StoredBehavior::kRecorded;
  bool fresh_are_policys = true;            // false: drawn tempered, filtered or selected, hence not on-policy
  bool sampler_logprobs = true;             // take those of a rollout that is fresh throughout from the sampler
  const ValueHead* value_head = nullptr;    // for objectives that need values
  OptimalValues* optimal_values = nullptr;  // for objectives that need V*
};

struct UpdateResult {
  double loss = 0;
  Metrics metrics;                 // the objective's
  std::vector<double> log_ratios;  // log π/π_ref by response, before the update
  /// Mean |Δ log π| per token between sampler and trainer, fresh responses; none after their first update.
  std::optional<double> sampler_mismatch;
  int64_t tokens = 0;  // of prompts and responses in the pass
};

class PolicyUpdate {
 public:
  /// The references and what `options` points to must outlive the object.
  PolicyUpdate(const CausalLm& policy, const CausalLm& reference, const Objective& objective,
               const PolicyUpdateOptions& options);

  /// Adds d loss / d parameters to the gradients of the policy and the value head, and notes the update in `rollout`,
  /// which must hold at least one group. Where the policy, the reference or the value head give anything that is not
  /// finite, the loss is NaN and nothing is added.
  UpdateResult accumulate_gradients(Rollout& rollout, const std::vector<TokenIds>& prompt_ids);

  /// From now on log-probabilities are computed, whoever else knows them.
  void distrust_sampler() { options_.sampler_logprobs = false; }

  /// To be called when the reference has changed.
  void forget_reference() { reference_logprobs_.forget(); }

 private:
  /// A micro-batch's tokens, each [tokens] or undefined: what the objective reads of them, and what they come from.
  struct Forward {
    Tensor hidden;    // [tokens, C]
    Tensor targets;   // [tokens]
    Tensor logprobs;  // without graph
    Tensor full_vocabulary_kl, values;
  };
  Forward forward(std::span<const PromptCompletion> items, bool with_logprobs) const;
  Tensor backward(const Forward& f, const Tensor& known, const ObjectiveGradient& gradient, int64_t first) const;
  /// Whether the sampler noted the log-probability of every token, and nothing else is needed before the backward pass.
  bool sampler_knows(const Rollout& rollout) const;

  const CausalLm& policy_;
  const CausalLm& reference_;
  const Objective& objective_;
  PolicyUpdateOptions options_;
  ReferenceLogprobs reference_logprobs_;
};

}  // namespace agro
