#include "model/completion_batch.h"

#include <algorithm>

namespace agro {
namespace {

bool share_prompt(const PromptCompletion& a, const PromptCompletion& b) {
  return std::equal(a.prompt.begin(), a.prompt.end(), b.prompt.begin(), b.prompt.end());
}

/// The sequences of a batch while it is put together.
class Packing {
 public:
  /// Adds a prompt and the completions that follow it.
  void add(std::span<const PromptCompletion> group) {
    const TokenIds prompt(group.front().prompt.begin(), group.front().prompt.end());
    if (group.size() == 1) {
      const int64_t last = add_sequence(prompt, group.front().completion, -1) + length(prompt) - 1;
      predict(group.front().completion, last, last + 1);
      return;
    }
    const auto prefix = static_cast<int64_t>(sequences_.size());
    const int64_t last = add_sequence(prompt, {}, -1) + length(prompt) - 1;
    for (const PromptCompletion& item : group)
      predict(item.completion, last, item.completion.size() == 1 ? 0 : add_sequence({}, item.completion, prefix));
  }

  CompletionBatch finish() const {
    const bool shared = std::any_of(prefixes_.begin(), prefixes_.end(), [](int64_t p) { return p >= 0; });
    return {pack_sequences(sequences_, {}, shared ? prefixes_ : Prefixes()), int64_tensor(rows_),
            int64_tensor(targets_)};
  }

 private:
  static int64_t length(std::span<const TokenId> ids) { return static_cast<int64_t>(ids.size()); }

  /// A sequence of `begin` and all of `completion` but its last token; returns its first row.
  int64_t add_sequence(TokenIds begin, std::span<const TokenId> completion, int64_t prefix) {
    if (!completion.empty()) begin.insert(begin.end(), completion.begin(), completion.end() - 1);
    const int64_t first = tokens_;
    tokens_ += length(begin);
    sequences_.push_back(std::move(begin));
    prefixes_.push_back(prefix);
    return first;
  }

  /// The first token is predicted by the prompt's last row, the others by the completion's rows from `next` on.
  void predict(std::span<const TokenId> completion, int64_t last_of_prompt, int64_t next) {
    for (size_t t = 0; t < completion.size(); ++t) {
      rows_.push_back(t == 0 ? last_of_prompt : next + static_cast<int64_t>(t) - 1);
      targets_.push_back(completion[t]);
    }
  }

  std::vector<TokenIds> sequences_;
  Prefixes prefixes_;
  std::vector<int64_t> rows_, targets_;
  int64_t tokens_ = 0;
};

}  // namespace

CompletionBatch pack_completions(std::span<const PromptCompletion> items) {
  for (const PromptCompletion& item : items) {
    if (item.prompt.empty()) throw Error("a prompt without tokens cannot be scored");
    if (item.completion.empty()) throw Error("a completion without tokens cannot be scored");
  }
  Packing packing;
  for (size_t begin = 0, end = 0; begin < items.size(); begin = end) {
    while (end < items.size() && share_prompt(items[begin], items[end])) ++end;
    packing.add(items.subspan(begin, end - begin));
  }
  return packing.finish();
}

int64_t packed_tokens(std::span<const PromptCompletion> items) {
  int64_t tokens = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    tokens += packed_length(items[i]);
    if (i > 0 && share_prompt(items[i - 1], items[i])) tokens -= static_cast<int64_t>(items[i].prompt.size());
  }
  return tokens;
}

Tensor completion_logprobs(const CausalLm& model, std::span<const PromptCompletion> items, double temperature) {
  const CompletionBatch batch = pack_completions(items);
  return model.logprobs(batch.tokens, batch.rows, batch.targets, temperature);
}

}  // namespace agro
