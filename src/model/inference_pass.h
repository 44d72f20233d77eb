#pragma once
// One step of sampling: new tokens of sequences in a key/value cache, to the logits of each sequence's last row, taken
// by the thread that computed them while they are in its cache.
#include <functional>
#include <optional>
#include <span>

#include "model/causal_lm.h"
#include "model/kernel_pass.h"
#include "tensor/ops/vocabulary_cpu.h"

namespace agro {

class InferencePass {
 public:
  /// What is to be done with the last row of a sequence: its logits [V] and their log Σ exp, both gone after the call.
  /// Called on the worker threads, in no particular order; must not throw.
  using LastRow = std::function<void(int64_t sequence, std::span<const float> logits, float log_sum_exp)>;

  /// `model` and `cache` must outlive the pass. Any dtype and device; the model's tensors may change between calls.
  InferencePass(const CausalLm& model, KvCache& cache);

  /// Sequence s continues with ids[offsets[s]] … ids[offsets[s + 1] − 1] at places[s] of the cache. Throws Error for
  /// ids outside the vocabulary, positions beyond max_position_embeddings and more positions than a slot of the cache
  /// has.
  void run(std::span<const TokenId> ids, const Offsets& offsets, const std::vector<CachePlace>& places,
           const LastRow& last_row);

 private:
  void run_tensors(std::span<const TokenId> ids, const Offsets& offsets, const std::vector<CachePlace>& places,
                   const LastRow& last_row);
  struct Logits {
    KeptMemory<float> hidden, values;
    std::vector<LogSumExp> state;
  };
  void take_last_rows(const Share& share, const float* x, const Offsets& offsets, Logits& logits,
                      const LastRow& last_row) const;

  const CausalLm& model_;
  KvCache& cache_;
  std::optional<KernelPass> kernels_;  // none where LibTorch's operators compute
  const RightHandSide* head_ = nullptr;
  std::vector<int64_t> positions_;
  std::vector<Logits> logits_;  // of each share
};

}  // namespace agro
