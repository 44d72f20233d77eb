#pragma once
// The forward pass of sampling: the kernels of the differentiable pass, and so its bits, on memory that is kept from
// call to call, without tensors in between. Rows of different sequences never meet, so each thread takes some of the
// sequences through all layers and the output projection by itself, where their number and the weights' size allow it.
#include <functional>
#include <memory>
#include <span>

#include "model/causal_lm.h"

namespace agro {

class InferencePass {
 public:
  /// What is to be done with the last row of a sequence: its logits [V] and their log Σ exp, both gone after the call.
  /// Called on the worker threads, in no particular order; must not throw.
  using LastRow = std::function<void(int64_t sequence, std::span<const float> logits, float log_sum_exp)>;

  /// `model` and `cache` must outlive the pass. Any dtype and device; the model's tensors may change between calls.
  InferencePass(const CausalLm& model, KvCache& cache);
  ~InferencePass();
  InferencePass(InferencePass&&) noexcept;

  /// Sequence s continues with ids[offsets[s]] … ids[offsets[s + 1] − 1] at places[s] of the cache. Throws Error for ids
  /// outside the vocabulary, positions beyond max_position_embeddings and more positions than a slot of the cache has.
  void run(std::span<const TokenId> ids, const Offsets& offsets, const std::vector<CachePlace>& places,
           const LastRow& last_row);

 private:
  class Kernels;
  void run_tensors(std::span<const TokenId> ids, const Offsets& offsets, const std::vector<CachePlace>& places,
                   const LastRow& last_row);

  const CausalLm& model_;
  KvCache& cache_;
  std::unique_ptr<Kernels> kernels_;  // null where a LibTorch operator computes: float64, or not on the CPU
};

}  // namespace agro
