#include "model/inference_pass.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/parallel.h"
#include "tensor/ops/embedding.h"

namespace agro {

InferencePass::InferencePass(const CausalLm& model, KvCache& cache) : model_(model), cache_(cache) {
  if (model.runs_on_kernels()) kernels_.emplace(model.parts());
}

void InferencePass::run(std::span<const TokenId> ids, const Offsets& offsets, const std::vector<CachePlace>& places,
                        const LastRow& last_row) {
  if (!kernels_) return run_tensors(ids, offsets, places, last_row);
  const FamilyParts& parts = model_.parts();
  check_ids(ids, parts.token_embedding.size(0));
  positions_.clear();
  int64_t longest = 0;
  for (size_t s = 0; s < places.size(); ++s) {
    const int64_t rows = offsets[s + 1] - offsets[s], length = places[s].past + rows;
    if (length > cache_.capacity())
      throw fail("key/value cache of {} positions cannot hold {} more after {}", cache_.capacity(), rows,
                 places[s].past);
    for (int64_t position = places[s].past; position < length; ++position) positions_.push_back(position);
    longest = std::max(longest, length);
  }
  model_.provide_positions(longest);
  head_ = &parts.head.pack->get(parts.head.weight, parts.head.layout, parts.head.products);
  logits_.resize(std::max(logits_.size(), places.size()));
  const Prefixes none;
  const auto take = [&](size_t index, const Share& share, const float* x) {
    take_last_rows(share, x, offsets, logits_[index], last_row);
  };
  // By reference: a copy would be allocated.
  kernels_->run({ids.data(), positions_.data(), offsets, none, model_.rope(), &cache_, &places}, std::cref(take));
}

void InferencePass::take_last_rows(const Share& share, const float* x, const Offsets& offsets, Logits& logits,
                                   const LastRow& last_row) const {
  constexpr int64_t kRows = 96;
  const LinearWeight& head = model_.head();
  const int64_t c = head.in_features(), vocabulary = head.out_features();
  for (int64_t begin = share.begin; begin < share.end; begin += kRows) {
    const int64_t rows = std::min(kRows, share.end - begin);
    float* hidden = logits.hidden.of(rows * c);
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t row = offsets[static_cast<size_t>(begin + i + 1)] - 1 - share.first_row;
      std::memcpy(hidden + i * c, x + row * c, static_cast<size_t>(c) * sizeof(float));
    }
    kernels_->final_norm(rows, hidden, hidden);
    float* values = logits.values.of(rows * vocabulary);
    logits.state.assign(static_cast<size_t>(rows), kEmptyLogSumExp);
    for (int64_t column = 0; column < vocabulary; column += kVocabularyBlock) {
      const int64_t columns = std::min(kVocabularyBlock, vocabulary - column);
      matmul({hidden, rows, c}, *head_, values + column, vocabulary,
             {.first_column = column, .last_column = column + columns});
      log_sum_exp_update(rows, columns, values + column, vocabulary, 1.0F, logits.state.data());
    }
    parallel_for(rows, [&](int64_t i) {
      const LogSumExp& state = logits.state[static_cast<size_t>(i)];
      last_row(begin + i, {values + i * vocabulary, static_cast<size_t>(vocabulary)}, state.max + std::log(state.sum));
    });
  }
}

void InferencePass::run_tensors(std::span<const TokenId> ids, const Offsets& offsets,
                                const std::vector<CachePlace>& places, const LastRow& last_row) {
  const torch::NoGradGuard no_grad;
  std::vector<TokenIds> sequences;
  std::vector<int64_t> past, last;
  for (size_t s = 0; s < places.size(); ++s) {
    sequences.emplace_back(ids.begin() + offsets[s], ids.begin() + offsets[s + 1]);
    past.push_back(places[s].past);
    last.push_back(offsets[s + 1] - 1);
  }
  const Tensor hidden = model_.hidden_states(pack_sequences(sequences, past), cache_, places);
  const Tensor logits = linear(hidden.index_select(0, int64_tensor(last).to(hidden.device())), model_.head())
                            .to(torch::kCPU, torch::kFloat)
                            .contiguous();
  const int64_t rows = logits.size(0), vocabulary = logits.size(1);
  const auto* values = read_pointer<float>(logits);
  std::vector<LogSumExp> state(static_cast<size_t>(rows), kEmptyLogSumExp);
  for (int64_t column = 0; column < vocabulary; column += kVocabularyBlock)
    log_sum_exp_update(rows, std::min(kVocabularyBlock, vocabulary - column), values + column, vocabulary, 1.0F,
                       state.data());
  parallel_for(rows, [&](int64_t row) {
    const LogSumExp& of_row = state[static_cast<size_t>(row)];
    last_row(row, {values + row * vocabulary, static_cast<size_t>(vocabulary)}, of_row.max + std::log(of_row.sum));
  });
}

}  // namespace agro
