#pragma once
// Prompts with their completions as one packed batch, and the rows that predict completion tokens.
#include <span>

#include "model/causal_lm.h"

namespace agro {

struct PromptCompletion {
  std::span<const TokenId> prompt;      // at least one token
  std::span<const TokenId> completion;  // at least one token
};

struct CompletionBatch {
  PackedBatch tokens;  // prompt and completion without its last token, which is never fed back
  Tensor rows;         // [N] packed row that predicts completion token n
  Tensor targets;      // [N] the token
};

/// Throws Error for an empty prompt or completion.
CompletionBatch pack_completions(std::span<const PromptCompletion> items);

/// log π(token) of every completion token, packed item after item: [Σ completion lengths], natural log, differentiable.
Tensor completion_logprobs(const CausalLm& model, std::span<const PromptCompletion> items, double temperature = 1.0);

/// Tokens that item i contributes to a packed batch.
inline int64_t packed_length(const PromptCompletion& item) {
  return static_cast<int64_t>(item.prompt.size() + item.completion.size()) - 1;
}

}  // namespace agro
