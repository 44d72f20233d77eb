#include "model/inference_pass.h"

#include <algorithm>
#include <cstring>

#include "core/parallel.h"
#include "tensor/ops/embedding.h"

namespace agro {
namespace {

/// Logits of the sequences from `first` on, a row for each state.
void hand_out(int64_t first, int64_t vocabulary, const float* logits, const std::vector<LogSumExp>& state,
              const InferencePass::LastRow& last_row) {
  parallel_for_rethrowing(static_cast<int64_t>(state.size()), [&](int64_t i) {
    last_row(first + i, {logits + i * vocabulary, static_cast<size_t>(vocabulary)},
             state[static_cast<size_t>(i)].value());
  });
}

}  // namespace

InferencePass::InferencePass(const CausalLm& model, KvCache& cache) : model_(model), cache_(cache) {
  if (model.runs_on_kernels()) kernels_.emplace(model.parts());
}

void InferencePass::run(std::span<const TokenId> ids, const Offsets& offsets, const std::vector<CachePlace>& places,
                        const LastRow& last_row) {
  if (!kernels_) return run_tensors(ids, offsets, places, last_row);
  const FamilyParts& parts = model_.parts();
  check_ids(ids, parts.token_embedding.size(0));
  check_room(offsets, places, cache_.capacity());
  positions_.clear();
  int64_t longest = 0;
  for (size_t s = 0; s < places.size(); ++s) {
    const int64_t length = places[s].past + offsets[s + 1] - offsets[s];
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
    hand_out(begin, vocabulary, values, logits.state, last_row);
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
  hand_out(0, vocabulary, values, state, last_row);
}

}  // namespace agro
