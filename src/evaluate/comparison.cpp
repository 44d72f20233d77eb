#include "evaluate/comparison.h"

#include <unordered_map>
#include <vector>

#include "core/error.h"

namespace agro {
namespace {

using Pair = std::pair<const PromptOutcome*, const PromptOutcome*>;

std::vector<Pair> pair_up(std::span<const PromptOutcome> a, std::span<const PromptOutcome> b) {
  std::unordered_multimap<std::string, const PromptOutcome*> waiting;
  for (size_t i = b.size(); i-- > 0;) waiting.emplace(b[i].prompt, &b[i]);
  std::vector<Pair> pairs;
  for (const PromptOutcome& outcome : a) {
    auto [at, end] = waiting.equal_range(outcome.prompt);
    if (at == end) continue;
    // Equal keys stand in no order that one may rely on: the earliest is looked for.
    auto first = at;
    for (; at != end; ++at)
      if (at->second < first->second) first = at;
    pairs.emplace_back(&outcome, first->second);
    waiting.erase(first);
  }
  return pairs;
}

OrderedJson interval_json(double difference, const Interval& interval) {
  return {{"difference", difference}, {"low", interval.low}, {"high", interval.high}};
}

}  // namespace

OrderedJson PairedComparison::to_json() const {
  OrderedJson json = {{"prompts", prompts}, {"only_a", only_a}, {"only_b", only_b}};
  if (greedy) {
    json["greedy"] = interval_json(greedy->difference, greedy->interval);
    json["greedy"].update({{"mcnemar_p", greedy->p},
                           {"both_right", greedy->counts.both},
                           {"only_a_right", greedy->counts.only_a},
                           {"only_b_right", greedy->counts.only_b},
                           {"neither_right", greedy->counts.neither}});
  }
  if (sampled) {
    json["sampled"] = interval_json(sampled->difference, sampled->interval);
    json["sampled"].update({{"a", sampled->a}, {"b", sampled->b}});
  }
  return json;
}

PairedComparison compare_paired(std::span<const PromptOutcome> a, std::span<const PromptOutcome> b, uint64_t seed) {
  const std::vector<Pair> pairs = pair_up(a, b);
  if (pairs.empty()) throw Error("the two evaluations have no prompt in common");
  PairedComparison comparison;
  comparison.prompts = static_cast<int64_t>(pairs.size());
  comparison.only_a = static_cast<int64_t>(a.size() - pairs.size());
  comparison.only_b = static_cast<int64_t>(b.size() - pairs.size());
  PairedCounts counts;
  std::vector<double> shares_a, shares_b, differences;
  for (const auto& [x, y] : pairs) {
    if (x->greedy && y->greedy)
      ++(*x->greedy ? (*y->greedy ? counts.both : counts.only_a) : (*y->greedy ? counts.only_b : counts.neither));
    if (!x->sampled_share || !y->sampled_share) continue;
    shares_a.push_back(*x->sampled_share), shares_b.push_back(*y->sampled_share);
    differences.push_back(*x->sampled_share - *y->sampled_share);
  }
  if (counts.total() > 0) {
    const double difference = static_cast<double>(counts.only_a - counts.only_b) / static_cast<double>(counts.total());
    comparison.greedy = {counts, difference, paired_difference_interval(counts),
                         mcnemar_exact(counts.only_a, counts.only_b)};
  }
  if (!differences.empty()) {
    const std::vector<std::vector<double>> columns = {differences};
    comparison.sampled = {mean(shares_a), mean(shares_b), mean(differences), bootstrap_intervals(columns, seed)[0]};
  }
  if (!comparison.greedy && !comparison.sampled)
    throw Error("the two evaluations measured different things: one has greedy responses alone, the other samples");
  return comparison;
}

}  // namespace agro
