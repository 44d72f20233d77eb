#include "generate/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "core/error.h"
#include "tensor/ops/vocabulary_cpu.h"

namespace agro {
namespace {

constexpr float kRemoved = -std::numeric_limits<float>::infinity();

void penalise_repetition(std::vector<float>& logits, double penalty, std::span<const TokenId> context) {
  const std::unordered_set<TokenId> seen(context.begin(), context.end());
  const auto p = static_cast<float>(penalty);
  for (const TokenId id : seen) {
    float& x = logits.at(static_cast<size_t>(id));
    x = x < 0 ? x * p : x / p;
  }
}

void keep_top_k(std::vector<float>& logits, int64_t k) {
  if (k <= 0 || k >= static_cast<int64_t>(logits.size())) return;
  std::vector<float> sorted = logits;
  std::nth_element(sorted.begin(), sorted.begin() + (k - 1), sorted.end(), std::greater<>());
  const float threshold = sorted[static_cast<size_t>(k - 1)];
  for (float& x : logits)
    if (x < threshold) x = kRemoved;
}

std::vector<Candidate> softmax(const std::vector<float>& logits) {
  const double max = *std::max_element(logits.begin(), logits.end());
  std::vector<Candidate> out;
  double sum = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] == kRemoved) continue;
    const double p = std::exp(static_cast<double>(logits[i]) - max);
    out.push_back({static_cast<TokenId>(i), p});
    sum += p;
  }
  for (Candidate& c : out) c.probability /= sum;
  return out;
}

void normalise(std::vector<Candidate>& candidates) {
  double sum = 0;
  for (const Candidate& c : candidates) sum += c.probability;
  for (Candidate& c : candidates) c.probability /= sum;
}

/// Keeps the most probable tokens until their sum reaches top_p, the one that crosses it included.
void keep_top_p(std::vector<Candidate>& candidates, double top_p) {
  std::vector<Candidate> sorted = candidates;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Candidate& a, const Candidate& b) { return a.probability < b.probability; });
  std::unordered_set<TokenId> removed;
  double cumulative = 0;
  for (size_t i = 0; i + 1 < sorted.size(); ++i) {  // the most probable token always stays
    cumulative += sorted[i].probability;
    if (cumulative > 1.0 - top_p) break;
    removed.insert(sorted[i].id);
  }
  std::erase_if(candidates, [&](const Candidate& c) { return removed.contains(c.id); });
  normalise(candidates);
}

void keep_min_p(std::vector<Candidate>& candidates, double min_p) {
  double best = 0;
  for (const Candidate& c : candidates) best = std::max(best, c.probability);
  std::erase_if(candidates, [&](const Candidate& c) { return c.probability < min_p * best; });
  normalise(candidates);
}

}  // namespace

void SamplingConfig::visit(ConfigVisitor& v) {
  v.field("greedy", greedy, "Always the most probable token.");
  v.field("temperature", temperature, {.min = 1e-3, .max = 100},
          "Logits are divided by it before sampling. Log-probabilities in loss and figures stay those at 1.");
  v.field("top_k", top_k, {.min = 0, .max = 1e9}, "Keep the k most probable tokens; 0: all.");
  v.field("top_p", top_p, {.min = 1e-6, .max = 1},
          "Keep the most probable tokens whose probabilities reach top_p; 1: all.");
  v.field("min_p", min_p, {.min = 0, .max = 1},
          "Drop tokens below min_p times the most probable one's probability; 0: none.");
  v.field("repetition_penalty", repetition_penalty, {.min = 0.01, .max = 100},
          "Logits of tokens already seen are divided by it where positive, multiplied where negative; 1: off.");
  v.field("max_new_tokens", max_new_tokens, {.min = 1, .max = 1e7}, "Length limit of a response, in tokens.");
  v.field("ignore_eos", ignore_eos, "Go on to max_new_tokens whatever is drawn.");
  v.field("stop_ids", stop_ids, "Further token ids that end a response, beside the model's own end tokens.");
  v.field("stop_strings", stop_strings, "A response ends with the token that completes one of these strings.");
}

bool SamplingConfig::unfiltered() const {
  return temperature == 1.0 && top_k == 0 && top_p == 1.0 && min_p == 0.0 && repetition_penalty == 1.0;
}

SamplingConfig unfiltered_version(SamplingConfig sampling) {
  const SamplingConfig plain;
  sampling.greedy = false;
  sampling.temperature = plain.temperature, sampling.top_k = plain.top_k, sampling.top_p = plain.top_p;
  sampling.min_p = plain.min_p, sampling.repetition_penalty = plain.repetition_penalty;
  return sampling;
}

std::vector<Candidate> filter_candidates(std::span<const float> logits, const SamplingConfig& config,
                                         std::span<const TokenId> context) {
  if (logits.empty()) throw Error("no logits to sample from");
  std::vector<float> scores(logits.begin(), logits.end());
  if (config.repetition_penalty != 1.0) penalise_repetition(scores, config.repetition_penalty, context);
  if (config.temperature != 1.0)
    for (float& x : scores) x /= static_cast<float>(config.temperature);
  keep_top_k(scores, config.top_k);
  std::vector<Candidate> candidates = softmax(scores);
  if (config.top_p < 1.0) keep_top_p(candidates, config.top_p);
  if (config.min_p > 0.0) keep_min_p(candidates, config.min_p);
  return candidates;
}

TokenId argmax(std::span<const float> logits) {
  return std::max_element(logits.begin(), logits.end()) - logits.begin();
}

TokenId sample_unfiltered(std::span<const float> logits, float log_sum_exp, double uniform) {
  constexpr size_t kBlock = 1024;
  float probability[kBlock];
  double cumulative = 0;
  TokenId last_possible = 0;
  for (size_t first = 0; first < logits.size(); first += kBlock) {
    const size_t count = std::min(kBlock, logits.size() - first);
    probabilities(static_cast<int64_t>(count), logits.data() + first, log_sum_exp, probability);
    for (size_t i = 0; i < count; ++i) {
      cumulative += static_cast<double>(probability[i]);
      if (probability[i] > 0) last_possible = static_cast<TokenId>(first + i);
      if (cumulative > uniform) return static_cast<TokenId>(first + i);
    }
  }
  return last_possible;  // the sum fell short of 1 by rounding
}

TokenId sample_from(std::span<const Candidate> candidates, double uniform) {
  double cumulative = 0;
  for (const Candidate& c : candidates) {
    cumulative += c.probability;
    if (cumulative > uniform) return c.id;
  }
  return candidates.back().id;
}

}  // namespace agro
