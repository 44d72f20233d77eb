#include "generate/engine.h"

#include <algorithm>

#include "generate/stop_rule.h"
#include "model/inference_pass.h"

namespace agro {
namespace {

/// Tokens of a response that memory is set aside for; longer ones grow.
constexpr int64_t kExpectedTokens = 256;

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
        cache_(make_cache()),
        pass_(model, cache_) {
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
      statistics->passes += passes_;
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
    const at::TensorOptions options = model_.activation_options();
    const int64_t bytes =
        KvCache::bytes_per_slot(model_.config(), capacity, static_cast<int64_t>(options.dtype().itemsize()));
    const double affordable = options_.kv_cache_gib * 1073741824.0 / static_cast<double>(bytes);
    int64_t slots = std::min(options_.max_sequences, static_cast<int64_t>(std::min(affordable, 1e9)));
    slots = std::clamp<int64_t>(slots, widest, std::max(widest, total));
    return {model_.config(), slots, capacity, options};
  }

  /// Brings in waiting prompts while all their responses find a slot, and draws their first tokens.
  void admit() {
    start_pass();
    const size_t first = active_.size();
    while (next_ < requests_.size() && requests_[next_].count <= static_cast<int64_t>(free_.size()) &&
           (ids_.empty() ||
            static_cast<int64_t>(ids_.size() + requests_[next_].prompt.size()) <= options_.prefill_tokens)) {
      const GenerationRequest& request = requests_[next_];
      results_[next_].resize(static_cast<size_t>(request.count));
      if (request.count > 0) {
        ids_.insert(ids_.end(), request.prompt.begin(), request.prompt.end());
        add_sequence({free_.back(), 0});
        for (int64_t i = 0; i < request.count; ++i) {
          Completion& response = results_[next_][static_cast<size_t>(i)];
          const int64_t limit = room(request.prompt);
          const auto expected = static_cast<size_t>(std::min(limit, kExpectedTokens));
          response.ids.reserve(expected), response.logprobs.reserve(expected);
          active_.push_back({next_, i, free_.back(), static_cast<int64_t>(request.prompt.size()), limit, &response});
          free_.pop_back();
        }
        last_of_.push_back(active_.size());
      }
      ++next_;
    }
    if (ids_.empty()) return;
    draw(first);
  }

  void decode() {
    if (active_.empty()) return;
    start_pass();
    for (Sequence& s : active_) {
      ids_.push_back(s.target->ids.back());
      add_sequence({s.slot, s.past});
      ++s.past;
      last_of_.push_back(last_of_.size() + 1);
    }
    draw(0);
  }

  void start_pass() {
    ids_.clear(), places_.clear(), last_of_.clear();
    offsets_.assign(1, 0);
  }

  void add_sequence(CachePlace place) {
    offsets_.push_back(static_cast<int64_t>(ids_.size()));
    places_.push_back(place);
  }

  /// Computes the pass and draws the next token of active_[first …], then lets the finished ones go. The responses to
  /// one prompt enter together: they are drawn from its last row, and their slots get copies of its keys and values.
  void draw(size_t first) {
    first_ = first;
    pass_.run(ids_, offsets_, places_, draw_row_);
    ++passes_;
    for (size_t s = 0; s < places_.size(); ++s)
      for (size_t i = begin_of(s) + 1; i < last_of_[s]; ++i)
        cache_.copy_prefix(places_[s].slot, active_[i].slot, active_[i].past);
    retire(first);
  }

  /// Sequence s of the pass is where active_[begin_of(s)] … active_[last_of_[s] − 1] go on.
  size_t begin_of(size_t s) const { return s == 0 ? first_ : last_of_[s - 1]; }

  void draw_row(size_t s, std::span<const float> logits, float log_sum_exp) {
    for (size_t i = begin_of(s); i < last_of_[s]; ++i) {
      const Sequence& sequence = active_[i];
      const TokenId id = choose(sequence, logits, log_sum_exp);
      sequence.target->ids.push_back(id);
      sequence.target->logprobs.push_back(logits[static_cast<size_t>(id)] - log_sum_exp);
    }
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

  // One pass; memory is kept from pass to pass.
  InferencePass pass_;
  int64_t passes_ = 0;
  TokenIds ids_;
  Offsets offsets_;
  std::vector<CachePlace> places_;
  size_t first_ = 0;
  std::vector<size_t> last_of_;
  const InferencePass::LastRow draw_row_ = [this](int64_t s, std::span<const float> logits, float log_sum_exp) {
    draw_row(static_cast<size_t>(s), logits, log_sum_exp);
  };
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
