#pragma once
// Batched sampling with a key/value cache. Each prompt is computed once for its n responses; finished sequences leave
// the batch and waiting prompts enter. A response depends on the model, its prompt, the seed and its draw index, not on
// what else is in the batch.
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/rng.h"
#include "generate/sampling.h"
#include "model/causal_lm.h"
#include "text/tokenizer.h"

namespace agro {

struct GenerationRequest {
  TokenIds prompt;
  uint64_t ordinal = 0;     // which prompt: key of the random numbers
  uint32_t first_draw = 0;  // responses drawn for this prompt before: re-visiting it draws new ones
  int64_t count = 1;        // n
};

enum class FinishReason { kStop, kLength };

struct Completion {
  TokenIds ids;                 // the token that ended it included
  std::vector<float> logprobs;  // log π of each id under the untempered, unfiltered model
  FinishReason finish = FinishReason::kLength;
};

struct EngineOptions {
  int64_t max_sequences = 256;    // sequences decoded at a time
  double kv_cache_gib = 2.0;      // and not more than fit here (one prompt's n responses always do)
  int64_t prefill_tokens = 4096;  // prompt tokens computed at a time

  void visit(ConfigVisitor& v);
};

struct GenerationStatistics {
  int64_t prompt_tokens = 0;
  int64_t new_tokens = 0;
  int64_t passes = 0;  // through the model
};

/// Called now and then with the number of finished responses and of all, by the thread that generates.
using GenerationProgress = std::function<void(int64_t finished, int64_t total)>;

class Engine {
 public:
  /// `model` must outlive the engine; `tokenizer` (may be null) is needed for stop strings only.
  Engine(const CausalLm& model, const Tokenizer* tokenizer, EngineOptions options);

  /// result[r][i]: response i of request r. `stream` separates training from evaluation draws.
  /// Throws Error for an empty prompt, a prompt that leaves no room for a token, or stop strings without a tokenizer.
  std::vector<std::vector<Completion>> generate(std::span<const GenerationRequest> requests,
                                                const SamplingConfig& sampling, uint64_t seed, Stream stream,
                                                GenerationStatistics* statistics = nullptr,
                                                const GenerationProgress& progress = {}) const;

 private:
  const CausalLm& model_;
  const Tokenizer* tokenizer_;
  EngineOptions options_;
};

/// Greedy, whatever else `sampling` says.
SamplingConfig greedy_version(SamplingConfig sampling);

}  // namespace agro
