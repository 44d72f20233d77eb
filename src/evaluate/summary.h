#pragma once
// The figures of an evaluation with 95 % intervals, on all prompts and on each kind of them.
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/json.h"
#include "evaluate/statistics.h"

namespace agro {

struct MeasuredResponse {
  std::string text;  // without the end token
  int64_t tokens = 0;
  bool truncated = false;
  double reward = 0;
  bool correct = false;
};

/// What a model answered to one prompt.
struct MeasuredPrompt {
  std::optional<MeasuredResponse> greedy;
  std::vector<MeasuredResponse> samples;  // equally many for all prompts
  std::string prompt = {};                // the text that the model read; empty: token ids, and no tokenizer
};

struct Estimate {
  std::string name;      // "greedy_accuracy", "pass_at_8"
  double value = 0;      // a share, or a number of tokens
  Interval interval;     // 95 %
  bool wilson = false;   // else bootstrap over prompts
  bool is_share = true;  // in [0, 1]
};

/// Tokens per response.
struct LengthFigures {
  double p5 = 0, median = 0, p95 = 0, most = 0;
  std::optional<double> mean_right, mean_wrong;
};

/// The figures of the prompts that have `value` in the field `field` of their record.
struct PartSummary {
  std::string field, value;
  int64_t prompts = 0;
  std::vector<Estimate> estimates;
};

struct EvaluationSummary {
  int64_t prompts = 0, samples = 0;
  std::vector<Estimate> estimates;
  bool form_of_samples = false;  // lengths and shares of form are of the samples; else of the greedy responses
  LengthFigures lengths;
  std::vector<PartSummary> parts;

  /// {"prompts", "samples_per_prompt", "confidence": 0.95, "estimates": {NAME: {"value", "low", "high", "interval":
  /// "wilson" | "bootstrap"}}, "form_of", "lengths", "by": [{"field", "value", "prompts", "estimates"}]}
  OrderedJson to_json() const;
};

/// A way to divide the prompts: one label for each of them; empty: in none of the parts.
using PromptLabels = std::pair<std::string, std::vector<std::string>>;  // field, label of each prompt

/// Estimates, in this order, as far as there is something to estimate them from:
///   greedy_accuracy             share of prompts whose greedy response is right (Wilson)
///   avg_at_n                    share of right samples, n of each prompt (the others: bootstrap over prompts)
///   pass_at_k                   at least one of k right, unbiased, k = 2, 4, 8 … and n
///   maj_at_k                    the most frequent answer of k is right, exact expectation, k = 4, 8 … 64 and n
///   response_tokens, truncated  mean length; share cut at the length limit
///   answer_found, answer_marked, boxed   see answers.h
/// Those of form are of the samples where there are any, else of the greedy responses. The parts carry accuracies
/// alone. Equal inputs and seeds give equal figures. Throws Error where there are no prompts or no responses.
EvaluationSummary summarise(std::span<const MeasuredPrompt> prompts, std::span<const PromptLabels> labels,
                            uint64_t seed);

}  // namespace agro
