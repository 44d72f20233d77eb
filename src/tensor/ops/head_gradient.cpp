#include "tensor/ops/head_gradient.h"

#include <cmath>

namespace agro {
namespace {

constexpr int64_t kWholeRowFloats = 16'000'000;  // of logits, 61 MiB
constexpr int64_t kFewestWholeRows = 256;  // below these, packing the head for each chunk costs more than a product

/// One block of the head's weights, for slopes · W.
RightHandSide packed_for_gradient(const LinearWeight& head, VocabularyBlock block) {
  return pack_weight(head.weight.narrow(0, block.first, block.columns), WeightLayout::kOutIn, true, head.products,
                     Reads::kOften);
}

}  // namespace

RowNormalizers::RowNormalizers(const Tensor& targets, double temperature)
    : targets_(read_pointer<int64_t>(targets)),
      temperature_(static_cast<float>(temperature)),
      state_(static_cast<size_t>(targets.size(0)), kEmptyLogSumExp),
      target_logits_(state_.size()) {}

void RowNormalizers::add(const TokenChunk& chunk, VocabularyBlock block, const float* logits, int64_t stride) {
  log_sum_exp_update(chunk.rows, block.columns, logits, stride, temperature_, state_.data() + chunk.begin);
  for (int64_t row = 0; row < chunk.rows; ++row) {
    const int64_t hit = targets_[chunk.begin + row] - block.first;
    if (hit >= 0 && hit < block.columns)
      target_logits_[static_cast<size_t>(chunk.begin + row)] = logits[row * stride + hit] / temperature_;
  }
}

float RowNormalizers::log_sum_exp(int64_t row) const { return state_[static_cast<size_t>(row)].value(); }

RowNormalizers row_normalizers(const Tensor& hidden, const Tensor& weight, const LinearWeight& head,
                               const Tensor& targets, double temperature) {
  const int64_t n = hidden.size(0), c = hidden.size(1);
  RowNormalizers rows(targets, temperature);
  BlockLogits logits(std::min(n, kTokenChunk), head.out_features());
  for_vocabulary(head.out_features(), [&](VocabularyBlock block) {
    const HeadBlock packed(weight, head, block);
    for (const TokenChunk& chunk : chunks_of_tokens(n, kTokenChunk)) {
      packed.logits(read_pointer<float>(hidden) + chunk.begin * c, chunk.rows, c, logits.data(), logits.stride());
      rows.add(chunk, block, logits.data(), logits.stride());
    }
  });
  return rows;
}

HeadGradient::HeadGradient(const Tensor& hidden, const LinearWeight& head, bool with_weight)
    : hidden_(hidden),
      head_(head),
      n_(hidden.size(0)),
      c_(hidden.size(1)),
      vocabulary_(head.out_features()),
      dhidden_(torch::empty_like(hidden)) {
  if (with_weight)
    dweight_ = n_ > 0 ? torch::empty(head.weight.sizes(), hidden.options())
                      : torch::zeros(head.weight.sizes(), hidden.options());
}

std::vector<RightHandSide> HeadGradient::pack_chunks(const std::vector<TokenChunk>& chunks) const {
  std::vector<RightHandSide> packed;
  if (dweight_.defined())
    for (const TokenChunk& chunk : chunks)
      packed.push_back(pack_rows(rows_of(chunk), chunk.rows, c_, head_.products, Reads::kOften));
  return packed;
}

void HeadGradient::propagate(const float* slopes, int64_t stride, const TokenChunk& chunk, VocabularyBlock block,
                             const RightHandSide& packed_block, const RightHandSide* packed_hidden, bool first_block,
                             bool first_chunk) {
  matmul({slopes, chunk.rows, stride}, packed_block, write_pointer<float>(dhidden_) + chunk.begin * c_, c_,
         {.accumulate = !first_block});
  if (packed_hidden != nullptr)
    matmul({slopes, block.columns, 1, stride}, *packed_hidden, write_pointer<float>(dweight_) + block.first * c_, c_,
           {.accumulate = !first_chunk});
}

bool HeadGradient::whole_rows_fit() const {
  return std::min(n_, kFewestWholeRows) * logit_stride(vocabulary_) <= kWholeRowFloats;
}

void HeadGradient::from_normalizers(const Tensor& targets, const float* log_sum_exp, const Tensor& weights,
                                    double temperature, RowNormalizers* found) {
  const std::vector<TokenChunk> chunks = chunks_of_tokens(n_, kTokenChunk);
  const std::vector<RightHandSide> packed_hidden = pack_chunks(chunks);
  BlockLogits logits(std::min(n_, kTokenChunk), vocabulary_);
  for_vocabulary(vocabulary_, [&](VocabularyBlock block) {
    const HeadBlock packed(head_.weight, head_, block);
    const RightHandSide packed_back = packed_for_gradient(head_, block);
    for (size_t i = 0; i < chunks.size(); ++i) {
      const TokenChunk& chunk = chunks[i];
      packed.logits(rows_of(chunk), chunk.rows, c_, logits.data(), logits.stride());
      if (found != nullptr) found->add(chunk, block, logits.data(), logits.stride());
      token_logprob_gradient(chunk.rows, block.columns, block.first, logits.data(), logits.stride(),
                             static_cast<float>(temperature), log_sum_exp + chunk.begin,
                             read_pointer<int64_t>(targets) + chunk.begin, read_pointer<float>(weights) + chunk.begin);
      propagate(logits.data(), logits.stride(), chunk, block, packed_back,
                packed_hidden.empty() ? nullptr : &packed_hidden[i], block.first == 0, i == 0);
    }
  });
}

void HeadGradient::from_whole_rows(const Tensor& targets, const Tensor& weights, double temperature,
                                   RowNormalizers& found) {
  const int64_t stride = logit_stride(vocabulary_);
  const int64_t most = std::clamp<int64_t>(kWholeRowFloats / stride, 1, kTokenChunk);
  const std::vector<TokenChunk> chunks = chunks_of_tokens(n_, most);
  const std::vector<RightHandSide> packed_hidden = pack_chunks(chunks);
  const auto logits = std::make_unique_for_overwrite<float[]>(static_cast<size_t>(std::min(n_, most) * stride));
  std::vector<float> log_sum_exp;
  for (size_t i = 0; i < chunks.size(); ++i) {
    const TokenChunk& chunk = chunks[i];
    for_vocabulary(vocabulary_, [&](VocabularyBlock block) {
      float* part = logits.get() + block.first;
      HeadBlock(head_.weight, head_, block).logits(rows_of(chunk), chunk.rows, c_, part, stride);
      found.add(chunk, block, part, stride);
    });
    log_sum_exp.clear();
    for (int64_t row = 0; row < chunk.rows; ++row) log_sum_exp.push_back(found.log_sum_exp(chunk.begin + row));
    for_vocabulary(vocabulary_, [&](VocabularyBlock block) {
      float* part = logits.get() + block.first;
      token_logprob_gradient(chunk.rows, block.columns, block.first, part, stride, static_cast<float>(temperature),
                             log_sum_exp.data(), read_pointer<int64_t>(targets) + chunk.begin,
                             read_pointer<float>(weights) + chunk.begin);
      const RightHandSide packed_back = packed_for_gradient(head_, block);
      propagate(part, stride, chunk, block, packed_back, packed_hidden.empty() ? nullptr : &packed_hidden[i],
                block.first == 0, i == 0);
    });
  }
}

}  // namespace agro
