#include "model/completion_batch.h"

namespace agro {

CompletionBatch pack_completions(std::span<const PromptCompletion> items) {
  std::vector<TokenIds> sequences;
  std::vector<int64_t> rows, targets;
  int64_t first = 0;
  for (const PromptCompletion& item : items) {
    if (item.prompt.empty()) throw Error("a prompt without tokens cannot be scored");
    if (item.completion.empty()) throw Error("a completion without tokens cannot be scored");
    TokenIds ids(item.prompt.begin(), item.prompt.end());
    ids.insert(ids.end(), item.completion.begin(), item.completion.end() - 1);
    const auto prompt = static_cast<int64_t>(item.prompt.size());
    for (size_t t = 0; t < item.completion.size(); ++t) {
      rows.push_back(first + prompt - 1 + static_cast<int64_t>(t));
      targets.push_back(item.completion[t]);
    }
    first += static_cast<int64_t>(ids.size());
    sequences.push_back(std::move(ids));
  }
  return {pack_sequences(sequences), int64_tensor(rows), int64_tensor(targets)};
}

Tensor completion_logprobs(const CausalLm& model, std::span<const PromptCompletion> items, double temperature) {
  const CompletionBatch batch = pack_completions(items);
  return model.logprobs(batch.tokens, batch.rows, batch.targets, temperature);
}

}  // namespace agro
