#pragma once
// From a row of logits to a token: the usual filters in HuggingFace's order, then inverse-CDF sampling.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/tokens.h"

namespace agro {

struct SamplingConfig {
  bool greedy = false;
  double temperature = 1.0;
  int64_t top_k = 0;
  double top_p = 1.0;
  double min_p = 0.0;
  double repetition_penalty = 1.0;
  int64_t max_new_tokens = 256;
  bool ignore_eos = false;
  std::vector<int64_t> stop_ids{};
  std::vector<std::string> stop_strings{};

  void visit(ConfigVisitor& v);

  /// Whether sampling is the model's own distribution.
  bool unfiltered() const;
};

/// The settings as they are, but sampling from the model's own distribution.
SamplingConfig unfiltered_version(SamplingConfig sampling);

/// A token that survived the filters.
struct Candidate {
  TokenId id;
  double probability;  // normalised over the survivors
};

/// Repetition penalty over `context`, temperature, top_k, top_p, min_p, in that order (transformers'). Ties at the k-th
/// logit all stay, as there. Ordered by id. logits [V].
std::vector<Candidate> filter_candidates(std::span<const float> logits, const SamplingConfig& config,
                                         std::span<const TokenId> context = {});

/// The most probable token; the lowest id among equals.
TokenId argmax(std::span<const float> logits);

/// The token at which the cumulative probability passes `uniform` in [0, 1). `log_sum_exp` is that of the logits.
TokenId sample_unfiltered(std::span<const float> logits, float log_sum_exp, double uniform);
TokenId sample_from(std::span<const Candidate> candidates, double uniform);

}  // namespace agro
