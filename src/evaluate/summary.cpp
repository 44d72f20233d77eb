#include "evaluate/summary.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "evaluate/answers.h"
#include "evaluate/majority.h"

namespace agro {
namespace {

constexpr int64_t kLargestMajority = 64;  // of fewer than all samples

/// 2, 4, 8 … below n, and n.
std::vector<int64_t> subset_sizes(int64_t n) {
  std::vector<int64_t> sizes;
  for (int64_t k = 2; k < n; k *= 2) sizes.push_back(k);
  if (n > 1) sizes.push_back(n);
  return sizes;
}

/// Everything that one prompt's responses say, worked out once.
struct PromptFigures {
  std::optional<bool> greedy;
  int64_t samples = 0, right = 0;
  std::vector<double> majority;                                        // by k of majority_sizes
  double tokens = 0, truncated = 0, found = 0, marked = 0, boxed = 0;  // means over its responses
};

std::vector<int64_t> majority_sizes(int64_t n) {
  std::vector<int64_t> sizes = subset_sizes(n);
  std::erase_if(sizes, [n](int64_t k) { return k != n && (k < 4 || k > kLargestMajority); });
  if (n < 3) sizes.clear();  // a majority of two is either of them
  return sizes;
}

PromptFigures figures_of(const MeasuredPrompt& prompt, bool form_of_samples) {
  PromptFigures figures;
  if (prompt.greedy) figures.greedy = prompt.greedy->correct;
  figures.samples = static_cast<int64_t>(prompt.samples.size());
  const std::span<const MeasuredResponse> formed =
      form_of_samples ? std::span(prompt.samples) : std::span(&*prompt.greedy, 1);
  std::vector<Vote> votes;
  for (const MeasuredResponse& response : formed) {
    AnswerFacts facts = answer_facts(response.text);
    const double share = 1 / static_cast<double>(formed.size());
    figures.tokens += share * static_cast<double>(response.tokens);
    figures.truncated += response.truncated ? share : 0;
    figures.found += facts.answer.empty() ? 0 : share;
    figures.marked += facts.marked ? share : 0;
    figures.boxed += facts.boxed ? share : 0;
    if (form_of_samples) votes.push_back({response.correct, std::move(facts.answer)});
  }
  const VoteCount count = count_votes(votes);
  figures.right = count.right;
  for (const int64_t k : majority_sizes(figures.samples)) figures.majority.push_back(maj_at_k(count, k));
  return figures;
}

/// Columns of one value for each prompt, and what they are called.
struct Columns {
  std::vector<std::string> names;
  std::vector<std::vector<double>> values;
  std::vector<bool> shares;

  template <class Value>
  void add(std::string name, std::span<const PromptFigures* const> prompts, Value value, bool is_share = true) {
    names.push_back(std::move(name));
    shares.push_back(is_share);
    auto& column = values.emplace_back();
    for (const PromptFigures* prompt : prompts) column.push_back(value(*prompt));
  }
};

std::vector<Estimate> estimates_of(std::span<const PromptFigures* const> prompts, bool with_form, uint64_t seed) {
  std::vector<Estimate> estimates;
  const PromptFigures& first = *prompts.front();
  if (first.greedy) {
    const int64_t right = std::count_if(prompts.begin(), prompts.end(), [](const auto* p) { return *p->greedy; });
    const auto count = static_cast<int64_t>(prompts.size());
    estimates.push_back({"greedy_accuracy", static_cast<double>(right) / static_cast<double>(count),
                         wilson_interval(right, count), true, true});
  }
  Columns columns;
  const int64_t n = first.samples;
  if (n > 0)
    columns.add(fmt::format("avg_at_{}", n), prompts, [n](const PromptFigures& p) { return pass_at_k(n, p.right, 1); });
  for (const int64_t k : subset_sizes(n))
    columns.add(fmt::format("pass_at_{}", k), prompts,
                [n, k](const PromptFigures& p) { return pass_at_k(n, p.right, k); });
  const std::vector<int64_t> sizes = majority_sizes(n);
  for (size_t i = 0; i < sizes.size(); ++i)
    columns.add(fmt::format("maj_at_{}", sizes[i]), prompts, [i](const PromptFigures& p) { return p.majority[i]; });
  if (with_form) {
    columns.add(
        "response_tokens", prompts, [](const PromptFigures& p) { return p.tokens; }, false);
    columns.add("truncated", prompts, [](const PromptFigures& p) { return p.truncated; });
    columns.add("answer_found", prompts, [](const PromptFigures& p) { return p.found; });
    columns.add("answer_marked", prompts, [](const PromptFigures& p) { return p.marked; });
    columns.add("boxed", prompts, [](const PromptFigures& p) { return p.boxed; });
  }
  const std::vector<Interval> intervals = bootstrap_intervals(columns.values, seed);
  for (size_t c = 0; c < columns.names.size(); ++c)
    estimates.push_back({columns.names[c], mean(columns.values[c]), intervals[c], false, columns.shares[c]});
  return estimates;
}

LengthFigures lengths_of(std::span<const MeasuredPrompt> prompts, bool of_samples) {
  std::vector<double> lengths, right, wrong;
  for (const MeasuredPrompt& prompt : prompts) {
    for (const MeasuredResponse& r : of_samples ? std::span(prompt.samples) : std::span(&*prompt.greedy, 1)) {
      lengths.push_back(static_cast<double>(r.tokens));
      (r.correct ? right : wrong).push_back(lengths.back());
    }
  }
  std::sort(lengths.begin(), lengths.end());
  LengthFigures figures{.p5 = quantile(lengths, 0.05),
                        .median = quantile(lengths, 0.5),
                        .p95 = quantile(lengths, 0.95),
                        .most = lengths.back(),
                        .mean_right = {},
                        .mean_wrong = {}};
  if (!right.empty()) figures.mean_right = mean(right);
  if (!wrong.empty()) figures.mean_wrong = mean(wrong);
  return figures;
}

/// "9" before "10", "Level 2" before "Level 10".
bool natural_less(const std::string& a, const std::string& b) {
  const auto number_at = [](const std::string& text) {
    return std::min(text.find_first_of("0123456789"), text.size());
  };
  const size_t i = number_at(a), j = number_at(b);
  if (a.substr(0, i) != b.substr(0, j) || i == a.size() || j == b.size()) return a < b;
  const double x = std::strtod(a.c_str() + i, nullptr), y = std::strtod(b.c_str() + j, nullptr);
  return x != y ? x < y : a < b;
}

OrderedJson estimates_json(const std::vector<Estimate>& estimates) {
  OrderedJson json = OrderedJson::object();
  for (const Estimate& e : estimates)
    json[e.name] = {{"value", e.value},
                    {"low", e.interval.low},
                    {"high", e.interval.high},
                    {"interval", e.wilson ? "wilson" : "bootstrap"}};
  return json;
}

}  // namespace

OrderedJson EvaluationSummary::to_json() const {
  OrderedJson json = {{"prompts", prompts}, {"samples_per_prompt", samples}, {"confidence", 0.95}};
  json["estimates"] = estimates_json(estimates);
  json["form_of"] = form_of_samples ? "samples" : "greedy";
  json["lengths"] = {{"p5", lengths.p5}, {"median", lengths.median}, {"p95", lengths.p95}, {"max", lengths.most}};
  if (lengths.mean_right) json["lengths"]["mean_right"] = *lengths.mean_right;
  if (lengths.mean_wrong) json["lengths"]["mean_wrong"] = *lengths.mean_wrong;
  json["by"] = OrderedJson::array();
  for (const PartSummary& part : parts)
    json["by"].push_back({{"field", part.field},
                          {"value", part.value},
                          {"prompts", part.prompts},
                          {"estimates", estimates_json(part.estimates)}});
  return json;
}

EvaluationSummary summarise(std::span<const MeasuredPrompt> prompts, std::span<const PromptLabels> labels,
                            uint64_t seed) {
  if (prompts.empty()) throw Error("no prompts were evaluated");
  EvaluationSummary summary;
  summary.prompts = static_cast<int64_t>(prompts.size());
  summary.samples = static_cast<int64_t>(prompts[0].samples.size());
  summary.form_of_samples = summary.samples > 0;
  if (!summary.form_of_samples && !prompts[0].greedy) throw Error("no responses were drawn");
  std::vector<PromptFigures> figures;
  std::vector<const PromptFigures*> all;
  for (const MeasuredPrompt& prompt : prompts) figures.push_back(figures_of(prompt, summary.form_of_samples));
  for (const PromptFigures& f : figures) all.push_back(&f);
  summary.estimates = estimates_of(all, true, seed);
  summary.lengths = lengths_of(prompts, summary.form_of_samples);
  for (const auto& [field, label_of] : labels) {
    std::vector<std::string> values(label_of.begin(), label_of.end());
    std::sort(values.begin(), values.end(), natural_less);
    values.erase(std::unique(values.begin(), values.end()), values.end());
    for (const std::string& value : values) {
      if (value.empty()) continue;
      std::vector<const PromptFigures*> part;
      for (size_t p = 0; p < figures.size(); ++p)
        if (label_of[p] == value) part.push_back(&figures[p]);
      summary.parts.push_back({field, value, static_cast<int64_t>(part.size()), estimates_of(part, false, seed)});
    }
  }
  return summary;
}

}  // namespace agro
