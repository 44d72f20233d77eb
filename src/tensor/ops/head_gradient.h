#pragma once
// The gradient of weighted log-probabilities in hidden states and output head, on our kernels.
#include <cstdint>
#include <vector>

#include "tensor/ops/head_blocks.h"

namespace agro {

/// log Σ exp of every row's logits, block after block, and the logit of its target: their difference is the
/// log-probability, with the same bits wherever it is computed.
class RowNormalizers {
 public:
  /// targets [N] int64, contiguous; must outlive the object.
  RowNormalizers(const Tensor& targets, double temperature);

  /// Adds a block's logits of one chunk of tokens.
  void add(const TokenChunk& chunk, VocabularyBlock block, const float* logits, int64_t stride);

  /// Once all blocks of a row were added.
  float log_sum_exp(int64_t row) const;
  float logprob(int64_t row) const { return target_logits_[static_cast<size_t>(row)] - log_sum_exp(row); }
  int64_t rows() const { return static_cast<int64_t>(state_.size()); }

 private:
  const int64_t* targets_;
  float temperature_;
  std::vector<LogSumExp> state_;
  std::vector<float> target_logits_;
};

/// Those of hidden rows [N, C] under the whole head: logits block after block of the vocabulary. Contiguous float32 on
/// the CPU, targets int64 [N].
RowNormalizers row_normalizers(const Tensor& hidden, const Tensor& weight, const LinearWeight& head,
                               const Tensor& targets, double temperature);

/// d/d hidden and d/d head of Σ weight · log-probability. Everything contiguous float32 on the CPU, targets int64.
class HeadGradient {
 public:
  /// hidden [N, C]; `head` must outlive the object. The head's own gradient only `with_weight`.
  HeadGradient(const Tensor& hidden, const LinearWeight& head, bool with_weight);

  /// Whether from_whole_rows() is worth it: many rows at a time for each reading of the head.
  bool whole_rows_fit() const;

  /// For rows whose log Σ exp is known [N]: logits are computed once, block after block of the vocabulary. Where
  /// `found` is given, what they say themselves is noted there.
  void from_normalizers(const Tensor& targets, const float* log_sum_exp, const Tensor& weights, double temperature,
                        RowNormalizers* found);

  /// For rows of which nothing is known: whole rows of logits at a time, which `found` then holds the normalisers of.
  void from_whole_rows(const Tensor& targets, const Tensor& weights, double temperature, RowNormalizers& found);

  const Tensor& hidden_gradient() const { return dhidden_; }
  const Tensor& head_gradient() const { return dweight_; }

 private:
  /// The packed hidden rows of a chunk, which all blocks of the head's gradient read.
  std::vector<RightHandSide> pack_chunks(const std::vector<TokenChunk>& chunks) const;
  void propagate(const float* slopes, int64_t stride, const TokenChunk& chunk, VocabularyBlock block,
                 const RightHandSide& packed_block, const RightHandSide* packed_hidden, bool first_block,
                 bool first_chunk);
  const float* rows_of(const TokenChunk& chunk) const { return read_pointer<float>(hidden_) + chunk.begin * c_; }

  Tensor hidden_;
  const LinearWeight& head_;
  int64_t n_, c_, vocabulary_;
  Tensor dhidden_, dweight_;
};

}  // namespace agro
