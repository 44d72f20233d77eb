#include "bench/ref/sampler.h"

#include <algorithm>

namespace agro {
namespace {

/// The prompts [B, longest], padded on the left, so that all of them end in the same column.
struct Prompts {
  Tensor ids;
  PlainPadding padding;
};

Prompts pad_left(const std::vector<TokenIds>& prompts) {
  size_t longest = 0;
  for (const TokenIds& p : prompts) longest = std::max(longest, p.size());
  std::vector<int64_t> ids, padding;
  for (const TokenIds& p : prompts) {
    padding.push_back(static_cast<int64_t>(longest - p.size()));
    ids.insert(ids.end(), longest - p.size(), 0);
    ids.insert(ids.end(), p.begin(), p.end());
  }
  const bool ragged = std::any_of(padding.begin(), padding.end(), [](int64_t n) { return n > 0; });
  return {int64_tensor(ids).view({static_cast<int64_t>(prompts.size()), -1}),
          {ragged ? int64_tensor(padding) : Tensor()}};
}

/// A batch being decoded; `rows` says which sample each of its rows is.
class Decoding {
 public:
  Decoding(const PlainModel& model, const std::vector<TokenIds>& prompts, const PlainSampling& sampling)
      : model_(model) {
    Prompts padded = pad_left(prompts);
    const auto count = static_cast<int64_t>(prompts.size());
    cache_ = model.make_cache(count, padded.ids.size(1) + sampling.max_new_tokens);
    padding_ = std::move(padded.padding);
    last_ = last_row(model.hidden_states(padded.ids, &cache_, padding_));
    if (sampling.per_prompt > 1) keep(torch::arange(count).repeat_interleave(sampling.per_prompt));
    rows_ = torch::arange(count * sampling.per_prompt);
  }

  const Tensor& rows() const { return rows_; }
  Tensor logprobs() const { return model_.logits(last_).log_softmax(-1); }
  void advance(const Tensor& ids) { last_ = last_row(model_.hidden_states(ids, &cache_, padding_)); }

  /// Takes the given rows of everything.
  void keep(const Tensor& chosen) {
    const auto take = [&](Tensor& x) {
      if (x.defined()) x = x.index_select(0, chosen);
    };
    for (Tensor& x : cache_.keys) take(x);
    for (Tensor& x : cache_.values) take(x);
    take(padding_.columns), take(last_), take(rows_);
  }

 private:
  static Tensor last_row(const Tensor& hidden) { return hidden.select(1, hidden.size(1) - 1); }

  const PlainModel& model_;
  PlainCache cache_;
  PlainPadding padding_;
  Tensor last_, rows_;
};

}  // namespace

PlainSamples plain_sample(const PlainModel& model, const std::vector<TokenIds>& prompts,
                          const PlainSampling& sampling) {
  const torch::NoGradGuard no_grad;
  Decoding decoding(model, prompts, sampling);
  const int64_t count = decoding.rows().size(0), n = sampling.max_new_tokens;
  PlainSamples samples{torch::zeros({count, n}, torch::kInt64), torch::zeros({count, n}),
                       std::vector<int64_t>(static_cast<size_t>(count), n)};
  std::vector<bool> finished(static_cast<size_t>(count));
  for (int64_t i = 0; i < n; ++i) {
    const Tensor logprobs = decoding.logprobs(), rows = decoding.rows();
    const Tensor ids = sampling.forced.defined() ? sampling.forced.index_select(0, rows).narrow(1, i, 1).contiguous()
                                                 : logprobs.exp().multinomial(1);
    samples.ids.select(1, i).index_copy_(0, rows, ids.squeeze(1));
    samples.logprobs.select(1, i).index_copy_(0, rows, logprobs.gather(1, ids).squeeze(1));
    Tensor next = ids;
    if (!sampling.end_ids.empty()) {
      const auto* drawn = read_pointer<int64_t>(ids);
      const auto* row = read_pointer<int64_t>(rows);
      std::vector<int64_t> alive;
      for (int64_t r = 0; r < rows.size(0); ++r) {
        const auto sample = static_cast<size_t>(row[r]);
        if (finished[sample]) continue;
        finished[sample] =
            std::find(sampling.end_ids.begin(), sampling.end_ids.end(), drawn[r]) != sampling.end_ids.end();
        if (finished[sample])
          samples.lengths[sample] = i + 1;
        else
          alive.push_back(r);
      }
      if (alive.empty()) break;
      // Copying the cache costs about one token; half the rows saved pay for it.
      if (2 * static_cast<int64_t>(alive.size()) <= rows.size(0)) {
        const Tensor chosen = int64_tensor(alive);
        decoding.keep(chosen);
        next = ids.index_select(0, chosen);
      }
    }
    if (i + 1 < n) decoding.advance(next);
  }
  return samples;
}

}  // namespace agro
