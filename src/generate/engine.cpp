#include "generate/engine.h"

#include <algorithm>
#include <cmath>
#include <deque>

#include "core/parallel.h"
#include "generate/stop_rule.h"
#include "tensor/ops/vocabulary_cpu.h"

namespace agro {
namespace {

/// One response being written.
struct Sequence {
  size_t request;
  int64_t index;  // which of the request's responses
  int64_t slot;
  int64_t past;   // positions in the cache
  int64_t limit;  // tokens it may still become, in all
  Completion* target;
};

/// One call of generate(): the queue, the cache and the sequences in flight.
class Session {
 public:
  Session(const CausalLm& model, const EngineOptions& options, std::span<const GenerationRequest> requests,
          const SamplingConfig& sampling, const StopRule& stop, uint64_t seed, Stream stream)
      : model_(model),
        options_(options),
        requests_(requests),
        sampling_(sampling),
        stop_(stop),
        seed_(seed),
        stream_(stream),
        cache_(make_cache()) {
    for (int64_t slot = cache_.slots() - 1; slot >= 0; --slot) free_.push_back(slot);
    results_.resize(requests.size());
  }

  std::vector<std::vector<Completion>> run(GenerationStatistics* statistics, const GenerationProgress& progress) {
    int64_t total = 0;
    for (const GenerationRequest& request : requests_) total += request.count;
    while (next_ < requests_.size() || !active_.empty()) {
      admit();
      decode();
      if (progress) progress(finished_, total);
    }
    if (statistics != nullptr) {
      for (size_t r = 0; r < requests_.size(); ++r) {
        statistics->prompt_tokens += static_cast<int64_t>(requests_[r].prompt.size());
        for (const Completion& c : results_[r]) statistics->new_tokens += static_cast<int64_t>(c.ids.size());
      }
    }
    return std::move(results_);
  }

 private:
  /// The last token of a response is never fed back, so it needs no position.
  int64_t room(const TokenIds& prompt) const {
    const int64_t positions = model_.config().max_position_embeddings, length = static_cast<int64_t>(prompt.size());
    return std::min(sampling_.max_new_tokens, positions - length + 1);
  }

  KvCache make_cache() const {
    int64_t capacity = 1, widest = 1, total = 0;
    for (const GenerationRequest& request : requests_) {
      if (request.prompt.empty()) throw Error("cannot generate from an empty prompt");
      if (room(request.prompt) < 1)
        throw fail("a prompt of {} tokens is longer than the model's {} positions", request.prompt.size(),
                   model_.config().max_position_embeddings)
            .hint("shorten or drop the prompt");
      capacity = std::max(capacity, static_cast<int64_t>(request.prompt.size()) + room(request.prompt) - 1);
      widest = std::max(widest, request.count);
      total += request.count;
    }
    const double affordable =
        options_.kv_cache_gib * 1073741824.0 / static_cast<double>(KvCache::bytes_per_slot(model_.config(), capacity));
    int64_t slots = std::min(options_.max_sequences, static_cast<int64_t>(std::min(affordable, 1e9)));
    slots = std::clamp<int64_t>(slots, widest, std::max(widest, total));
    return {model_.config(), slots, capacity, model_.activation_options()};
  }

  /// Brings in waiting prompts while all their responses find a slot, and draws their first tokens.
  void admit() {
    std::vector<TokenIds> prompts;
    std::vector<CachePlace> places;
    std::vector<Sequence> entering;
    std::vector<int64_t> last_row;
    int64_t tokens = 0;
    while (
        next_ < requests_.size() && requests_[next_].count <= static_cast<int64_t>(free_.size()) &&
        (prompts.empty() || tokens + static_cast<int64_t>(requests_[next_].prompt.size()) <= options_.prefill_tokens)) {
      const GenerationRequest& request = requests_[next_];
      results_[next_].resize(static_cast<size_t>(request.count));
      if (request.count > 0) {
        const auto length = static_cast<int64_t>(request.prompt.size());
        tokens += length;
        prompts.push_back(request.prompt);
        places.push_back({free_.back(), 0});
        for (int64_t i = 0; i < request.count; ++i) {
          entering.push_back(
              {next_, i, free_.back(), length, room(request.prompt), &results_[next_][static_cast<size_t>(i)]});
          last_row.push_back(tokens - 1);
          free_.pop_back();
        }
      }
      ++next_;
    }
    if (prompts.empty()) return;
    const Tensor hidden = model_.hidden_states(pack_sequences(prompts), cache_, places);
    for (const Sequence& s : entering)
      if (s.index > 0)
        cache_.copy_prefix(entering[static_cast<size_t>(&s - entering.data() - s.index)].slot, s.slot, s.past);
    // Responses of one prompt start from the same row; its logits are computed once.
    std::vector<int64_t> distinct, row_of;
    for (const int64_t row : last_row) {
      if (distinct.empty() || distinct.back() != row) distinct.push_back(row);
      row_of.push_back(static_cast<int64_t>(distinct.size()) - 1);
    }
    active_.insert(active_.end(), entering.begin(), entering.end());
    draw(hidden.index_select(0, int64_tensor(distinct).to(hidden.device())), row_of, active_.size() - entering.size());
  }

  void decode() {
    if (active_.empty()) return;
    std::vector<TokenIds> last;
    std::vector<int64_t> positions, row_of;
    std::vector<CachePlace> places;
    for (Sequence& s : active_) {
      row_of.push_back(static_cast<int64_t>(last.size()));
      last.push_back({s.target->ids.back()});
      positions.push_back(s.past);
      places.push_back({s.slot, s.past});
      ++s.past;
    }
    draw(model_.hidden_states(pack_sequences(last, positions), cache_, places), row_of, 0);
  }

  /// Draws the next token of active_[first …] from hidden rows, then lets the finished ones go.
  void draw(const Tensor& hidden, const std::vector<int64_t>& row_of, size_t first) {
    const torch::NoGradGuard no_grad;
    const Tensor logits = linear(hidden, model_.head()).to(torch::kCPU, torch::kFloat).contiguous();
    const int64_t rows = logits.size(0), vocabulary = logits.size(1);
    const auto* values = read_pointer<float>(logits);
    std::vector<LogSumExp> state(static_cast<size_t>(rows), kEmptyLogSumExp);
    for (int64_t column = 0; column < vocabulary; column += kVocabularyBlock)
      log_sum_exp_update(rows, std::min(kVocabularyBlock, vocabulary - column), values + column, vocabulary, 1.0F,
                         state.data());
    parallel_for(static_cast<int64_t>(row_of.size()), [&](int64_t i) {
      const Sequence& s = active_[first + static_cast<size_t>(i)];
      const auto row = static_cast<size_t>(row_of[static_cast<size_t>(i)]);
      const std::span<const float> row_logits(values + static_cast<int64_t>(row) * vocabulary,
                                              static_cast<size_t>(vocabulary));
      const float log_sum_exp = state[row].max + std::log(state[row].sum);
      const TokenId id = choose(s, row_logits, log_sum_exp);
      s.target->ids.push_back(id);
      s.target->logprobs.push_back(row_logits[static_cast<size_t>(id)] - log_sum_exp);
    });
    retire(first);
  }

  TokenId choose(const Sequence& s, std::span<const float> logits, float log_sum_exp) const {
    const GenerationRequest& request = requests_[s.request];
    if (sampling_.greedy && sampling_.repetition_penalty == 1.0) return argmax(logits);
    const DrawKey key{seed_, stream_, request.ordinal, request.first_draw + static_cast<uint32_t>(s.index),
                      static_cast<uint32_t>(s.target->ids.size())};
    if (sampling_.unfiltered()) return sample_unfiltered(logits, log_sum_exp, uniform01(key));
    TokenIds context;
    if (sampling_.repetition_penalty != 1.0) {
      context = request.prompt;
      context.insert(context.end(), s.target->ids.begin(), s.target->ids.end());
    }
    if (sampling_.greedy) {
      SamplingConfig only_best = sampling_;
      only_best.top_k = 1;
      return filter_candidates(logits, only_best, context).front().id;
    }
    return sample_from(filter_candidates(logits, sampling_, context), uniform01(key));
  }

  void retire(size_t first) {
    size_t kept = first;
    for (size_t i = first; i < active_.size(); ++i) {
      const Sequence s = active_[i];
      const bool stopped = stop_.ends(s.target->ids);
      if (stopped || static_cast<int64_t>(s.target->ids.size()) >= s.limit) {
        s.target->finish = stopped || stop_.length_is_the_end() ? FinishReason::kStop : FinishReason::kLength;
        free_.push_back(s.slot);
        ++finished_;
      } else {
        active_[kept++] = s;
      }
    }
    active_.resize(kept);
  }

  const CausalLm& model_;
  const EngineOptions& options_;
  std::span<const GenerationRequest> requests_;
  const SamplingConfig& sampling_;
  const StopRule& stop_;
  uint64_t seed_;
  Stream stream_;
  KvCache cache_;
  std::vector<int64_t> free_;
  size_t next_ = 0;
  int64_t finished_ = 0;
  std::vector<Sequence> active_;
  std::vector<std::vector<Completion>> results_;
};

}  // namespace

void EngineOptions::visit(ConfigVisitor& v) {
  v.field("max_sequences", max_sequences, {.min = 1, .max = 65536}, "Most sequences decoded at a time.");
  v.field("kv_cache_gib", kv_cache_gib, {.min = 0.001, .max = 4096},
          "Most memory for keys and values, in GiB; the responses to one prompt are decoded together even beyond it.");
  v.field("prefill_tokens", prefill_tokens, {.min = 1, .max = 1e7}, "Most prompt tokens computed in one pass.");
}

SamplingConfig greedy_version(SamplingConfig sampling) {
  sampling.greedy = true;
  return sampling;
}

Engine::Engine(const CausalLm& model, const Tokenizer* tokenizer, EngineOptions options)
    : model_(model), tokenizer_(tokenizer), options_(options) {}

std::vector<std::vector<Completion>> Engine::generate(std::span<const GenerationRequest> requests,
                                                      const SamplingConfig& sampling, uint64_t seed, Stream stream,
                                                      GenerationStatistics* statistics,
                                                      const GenerationProgress& progress) const {
  if (requests.empty()) return {};
  const StopRule stop(sampling, model_.config().eos_token_ids, tokenizer_);
  return Session(model_, options_, requests, sampling, stop, seed, stream).run(statistics, progress);
}

}  // namespace agro
