#pragma once
// The output head [V, C] in blocks of the vocabulary, and tokens in chunks: what the log-probability operations walk
// over, so that neither [tokens, vocabulary] nor a second copy of the head is ever in memory.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "tensor/ops/linear.h"
#include "tensor/ops/vocabulary_cpu.h"

namespace agro {

/// Distance of rows of `columns` logits: a little further than they are wide, as a power of two would put one column of
/// all rows into the same cache set.
inline int64_t logit_stride(int64_t columns) { return (columns + 15) / 16 * 16 + 16; }

/// Tokens whose logits over one block are held at a time: at most 16 MiB.
inline constexpr int64_t kTokenChunk = 1024;

/// Logits of some rows over one block of the vocabulary; contents undefined.
class BlockLogits {
 public:
  BlockLogits(int64_t rows, int64_t vocabulary)
      : stride_(logit_stride(std::min(vocabulary, kVocabularyBlock))),
        values_(std::make_unique_for_overwrite<float[]>(static_cast<size_t>(rows * stride_))) {}
  float* data() { return values_.get(); }
  int64_t stride() const { return stride_; }

 private:
  int64_t stride_;
  std::unique_ptr<float[]> values_;
};

struct TokenChunk {
  int64_t begin, rows;
};

inline std::vector<TokenChunk> chunks_of_tokens(int64_t n, int64_t most) {
  std::vector<TokenChunk> chunks;
  for (int64_t begin = 0; begin < n; begin += most) chunks.push_back({begin, std::min(most, n - begin)});
  return chunks;
}

/// Columns [first, first + columns) of the vocabulary.
struct VocabularyBlock {
  int64_t first, columns;
};

/// Calls use(block) for each block of the vocabulary, in order.
template <class F>
void for_vocabulary(int64_t vocabulary, F&& use) {
  for (int64_t first = 0; first < vocabulary; first += kVocabularyBlock)
    use(VocabularyBlock{first, std::min(kVocabularyBlock, vocabulary - first)});
}

/// The weights of one block, packed for hidden · Wᵀ. Where the whole head lies packed already, as after sampling, that
/// copy is used.
class HeadBlock {
 public:
  HeadBlock(const Tensor& weight, const LinearWeight& head, VocabularyBlock block)
      : whole_(head.pack->find(weight, head.products)), block_(block) {
    if (whole_ == nullptr)
      own_ = pack_weight(weight.narrow(0, block.first, block.columns), WeightLayout::kOutIn, false, head.products);
  }

  /// logits [rows, block.columns], rows `stride` apart, of dense hidden rows [rows, C].
  void logits(const float* hidden, int64_t rows, int64_t c, float* out, int64_t stride) const {
    if (whole_ == nullptr)
      matmul({hidden, rows, c}, *own_, out, stride);
    else
      matmul({hidden, rows, c}, *whole_, out, stride,
             {.first_column = block_.first, .last_column = block_.first + block_.columns});
  }

 private:
  const RightHandSide* whole_;
  VocabularyBlock block_;
  std::optional<RightHandSide> own_;
};

}  // namespace agro
