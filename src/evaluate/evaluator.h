#pragma once
// How good a model is on prompts with checkable answers: greedy and sampled accuracy, reward, KL, and the gaps of spec
// §7.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "data/encode.h"
#include "evaluate/summary.h"
#include "generate/engine.h"
#include "reward/total_reward.h"

namespace agro {

struct EvaluateConfig {
  std::string prompts{};  // JSONL file
  int64_t skip = 0;
  int64_t limit = 0;
  bool greedy = true;
  int64_t samples_per_prompt = 4;
  int64_t reference_samples = 8;
  double correct_above = 0.5;
  bool answer_probability = false;

  void visit(ConfigVisitor& v);
};

/// Errors are standard errors over prompts, whose means of their samples count once each.
struct EvaluationResult {
  int64_t prompts = 0;
  int64_t prompts_too_long = 0;                                // of them: not asked, and wrong
  int64_t samples = 0;                                         // per prompt
  std::optional<double> greedy_accuracy, greedy_error;         // share
  std::optional<double> sampled_accuracy, sampled_error;       // mean over prompts of the share of correct samples
  std::optional<double> reward_mean, reward_error;             // of the samples
  std::optional<double> response_tokens;                       // mean length
  std::optional<double> truncated;                             // share cut at the length limit
  std::optional<double> kl, kl_error;                          // E log π/π_ref over the samples, nats per response
  std::optional<double> optimality_gap, optimality_gap_error;  // A12, biased low
  std::optional<double> value_gap, value_gap_error;            // V̂* − mean R
  std::optional<double> answer_probability;                    // mean π(answer | prompt)
  std::optional<double> answer_probability_error;
  std::vector<double> greedy_by_prompt, sampled_by_prompt;
  std::vector<MeasuredPrompt> measured;  // every response, for summarise()

  /// The scalars that are present, in the order above.
  OrderedJson to_json() const;
};

/// What an evaluation runs on. The references must outlive the evaluator.
struct EvaluationSetup {
  std::vector<PromptRecord> prompts;
  Encoders encoders;
  int64_t positions = 0;  // the model's; a longer prompt is not asked, and its responses are empty, cut and wrong
  const Tokenizer* tokenizer = nullptr;
  TotalReward* reward = nullptr;
  SamplingConfig sampling;
  EngineOptions engine;
  uint64_t seed = 0;
  /// Hears what is being generated ("greedy", "sampled", "reference") and how far it is; may be empty.
  std::function<void(std::string_view what, int64_t finished, int64_t total)> progress;
};

class Evaluator {
 public:
  /// Logs a warning where prompts are too long for the model: leaving them out would flatter it. Throws Error where a
  /// prompt cannot be encoded, or none fits.
  Evaluator(EvaluateConfig config, EvaluationSetup setup);

  const std::vector<PromptRecord>& prompts() const { return setup_.prompts; }

  /// V̂*(x) from the reference's own samples; from then on results carry the value gap.
  void prepare_reference(const CausalLm& reference, double beta);

  /// `reference` may be null: no KL and no gaps, nor where sampling is filtered or tempered. Both are of the prompts
  /// that were asked. beta in units of reward per nat. The same model gives the same result: draws depend on the seed
  /// alone. Throws Error where a prompt has no answer that a reward needs, or an id that the model lacks.
  EvaluationResult evaluate(const CausalLm& model, const CausalLm* reference, double beta);

 private:
  struct Scored {
    std::vector<std::vector<Completion>> completions;
    std::vector<std::vector<double>> rewards;             // [prompt][sample]
    std::vector<std::vector<MeasuredResponse>> measured;  // [prompt][sample]
  };
  Scored sample(const CausalLm& model, const SamplingConfig& sampling, int64_t count, uint64_t seed,
                std::string_view what);
  void add_divergence(const CausalLm& model, const CausalLm& reference, double beta, const Scored& sampled,
                      EvaluationResult& result) const;
  std::vector<double> answer_probabilities(const CausalLm& model) const;  // by prompt

  EvaluateConfig config_;
  EvaluationSetup setup_;
  std::vector<TokenIds> prompt_ids_;
  std::vector<bool> asked_;              // by prompt; the others are too long
  std::vector<double> reference_value_;  // V̂* by prompt; empty until prepared
};

/// Text of a completion without its end token.
std::string completion_text(const Completion& completion, const Tokenizer* tokenizer, const TokenIds& end_ids);

}  // namespace agro
