#pragma once
// Prompts with their completions as one packed batch, and the rows that predict completion tokens. Neighbours with the
// same prompt (the responses of a group) share its rows: it is computed once, forward and backward.
#include <span>

#include "model/causal_lm.h"

namespace agro {

struct PromptCompletion {
  std::span<const TokenId> prompt;      // at least one token
  std::span<const TokenId> completion;  // at least one token
};

struct CompletionBatch {
  PackedBatch tokens;  // prompt and completion without its last token, which is never fed back
  Tensor rows;         // [N] packed row that predicts completion token n; a shared prompt's last row several times
  Tensor targets;      // [N] the token
};

/// Throws Error for an empty prompt or completion.
CompletionBatch pack_completions(std::span<const PromptCompletion> items);

/// log π(token) of every completion token, packed item after item: [Σ completion lengths], natural log, differentiable.
Tensor completion_logprobs(const CausalLm& model, std::span<const PromptCompletion> items, double temperature = 1.0);

/// Tokens that an item adds to a packed batch, at most: those of its prompt are shared with a neighbour that has the
/// same prompt.
inline int64_t packed_length(const PromptCompletion& item) {
  return static_cast<int64_t>(item.prompt.size() + item.completion.size()) - 1;
}

/// Tokens of pack_completions(items): the sum of the packed lengths, each shared prompt counted once.
int64_t packed_tokens(std::span<const PromptCompletion> items);

}  // namespace agro
