#pragma once
// Two models on the same prompts: which is better, and by how much.
#include <optional>
#include <span>
#include <string>

#include "core/json.h"
#include "evaluate/statistics.h"

namespace agro {

/// What is known of one prompt under one model.
struct PromptOutcome {
  std::string prompt;                   // what was asked: equal for both models
  std::optional<bool> greedy;           // whether the greedy response was right
  std::optional<double> sampled_share;  // share of right samples
};

struct PairedComparison {
  struct Greedy {
    PairedCounts counts;
    double difference = 0;  // accuracy of a − accuracy of b
    Interval interval;      // 95 %, see paired_difference_interval
    double p = 1;           // McNemar's exact test
  };
  struct Sampled {
    double a = 0, b = 0, difference = 0;
    Interval interval;  // 95 %, bootstrap over prompts
  };
  int64_t prompts = 0;             // that both answered
  int64_t only_a = 0, only_b = 0;  // prompts that one of them was not asked
  std::optional<Greedy> greedy;    // where both have greedy responses
  std::optional<Sampled> sampled;  // where both have samples

  OrderedJson to_json() const;
};

/// Pairs the outcomes by their prompts; of a prompt given twice, the first with the first. Throws Error where no prompt
/// is in both, or nothing was measured of both.
PairedComparison compare_paired(std::span<const PromptOutcome> a, std::span<const PromptOutcome> b, uint64_t seed);

}  // namespace agro
