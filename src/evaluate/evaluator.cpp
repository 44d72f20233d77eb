#include "evaluate/evaluator.h"

#include <algorithm>
#include <cmath>

#include "data/packing.h"
#include "data/prompt_lengths.h"
#include "model/completion_batch.h"
#include "objective/diagnostics.h"

namespace agro {
namespace {

struct MeanError {
  double mean, error;
};

MeanError mean_and_error(const std::vector<double>& x) {
  const auto n = static_cast<double>(x.size());
  double sum = 0, squares = 0;
  for (const double v : x) sum += v;
  for (const double v : x) squares += (v - sum / n) * (v - sum / n);
  return {sum / n, x.size() > 1 ? std::sqrt(squares / (n - 1) / n) : 0.0};
}

ModelLimits limits_of(const CausalLm& model) {
  return {model.config().max_position_embeddings, model.config().vocab_size};
}

/// Sum of each item's token log-probs, computed some thousand tokens at a time.
std::vector<double> sequence_logprobs(const CausalLm& model, const std::vector<PromptCompletion>& items) {
  const torch::NoGradGuard no_grad;
  std::vector<int64_t> lengths;
  for (const PromptCompletion& item : items) lengths.push_back(packed_length(item));
  std::vector<double> sums;
  for (const IndexRange range : pack_by_tokens(lengths, 8192)) {
    const std::span part = std::span(items).subspan(range.begin, range.end - range.begin);
    const Tensor logprobs = completion_logprobs(model, part).to(torch::kCPU, torch::kDouble);
    int64_t first = 0;
    for (const PromptCompletion& item : part) {
      const auto length = static_cast<int64_t>(item.completion.size());
      sums.push_back(logprobs.narrow(0, first, length).sum().item<double>());
      first += length;
    }
  }
  return sums;
}

/// The text of what encode_prompt encodes.
std::string text_read(const PromptRecord& prompt, const Encoders& encoders) {
  if (!prompt.ids.empty()) return encoders.decode ? encoders.decode(prompt.ids) : std::string();
  return prompt.messages.is_null() ? prompt.text : encoders.render_chat(prompt.messages);
}

}  // namespace

void EvaluateConfig::visit(ConfigVisitor& v) {
  v.field("prompts", prompts,
          "File of prompts kept aside for evaluation, in any layout of data.prompts; empty: no evaluation.");
  v.field("skip", skip, {.min = 0, .max = 1e12},
          "Leave out the first so many prompts: those of a file's beginning that data.limit trains on.");
  v.field("limit", limit, {.min = 0, .max = 1e9}, "Then use so many prompts; 0: all.");
  v.field("greedy", greedy, "Measure accuracy of the greedy response.");
  v.field("samples_per_prompt", samples_per_prompt, {.min = 0, .max = 4096}, "Sampled responses per prompt; 0: none.");
  v.field("reference_samples", reference_samples, {.min = 0, .max = 4096},
          "Responses of the reference per prompt, drawn once, for the value gap; 0: none.");
  v.field("correct_above", correct_above, {},
          "A response counts as correct, in evaluations and in training figures, if its reward exceeds this.");
  v.field("answer_probability", answer_probability,
          "Also measure the probability of the answer itself as response (meaningful where the answer is the whole "
          "response).");
}

OrderedJson EvaluationResult::to_json() const {
  OrderedJson json;
  json["prompts"] = prompts;
  if (prompts_too_long > 0) json["prompts_too_long"] = prompts_too_long;
  if (samples > 0) json["samples_per_prompt"] = samples;
  const auto add = [&](const char* name, const std::optional<double>& value) {
    if (value) json[name] = *value;
  };
  add("greedy_accuracy", greedy_accuracy);
  add("greedy_error", greedy_error);
  add("sampled_accuracy", sampled_accuracy);
  add("sampled_error", sampled_error);
  add("reward_mean", reward_mean);
  add("reward_error", reward_error);
  add("response_tokens", response_tokens);
  add("truncated", truncated);
  add("kl", kl);
  add("kl_error", kl_error);
  add("optimality_gap", optimality_gap);
  add("optimality_gap_error", optimality_gap_error);
  add("value_gap", value_gap);
  add("value_gap_error", value_gap_error);
  add("answer_probability", answer_probability);
  add("answer_probability_error", answer_probability_error);
  return json;
}

std::string completion_text(const Completion& completion, const Tokenizer* tokenizer, const TokenIds& end_ids) {
  if (tokenizer == nullptr) return {};
  TokenIds ids = completion.ids;
  if (!ids.empty() && std::count(end_ids.begin(), end_ids.end(), ids.back()) > 0) ids.pop_back();
  return tokenizer->decode(ids);
}

Evaluator::Evaluator(EvaluateConfig config, EvaluationSetup setup)
    : config_(std::move(config)), setup_(std::move(setup)) {
  PromptLengths lengths(config_.prompts, setup_.positions);
  for (const PromptRecord& prompt : setup_.prompts) {
    prompt_ids_.push_back(encode_prompt(prompt, setup_.encoders));
    asked_.push_back(lengths.fits(prompt_ids_.back()));
  }
  lengths.report("counted as wrong without being asked");
}

Evaluator::Scored Evaluator::sample(const CausalLm& model, const SamplingConfig& sampling, int64_t count, uint64_t seed,
                                    std::string_view what) {
  std::vector<GenerationRequest> requests;
  for (size_t p = 0; p < prompt_ids_.size(); ++p) {
    if (!asked_[p]) continue;
    check_fits(setup_.prompts[p], prompt_ids_[p], {}, limits_of(model));
    requests.push_back({prompt_ids_[p], p, 0, count});
  }
  GenerationProgress progress;
  if (setup_.progress) progress = [&](int64_t finished, int64_t total) { setup_.progress(what, finished, total); };
  std::vector<std::vector<Completion>> drawn =
      Engine(model, setup_.tokenizer, setup_.engine)
          .generate(requests, sampling, seed, Stream::kEvaluation, nullptr, progress);
  Scored scored;
  scored.completions.assign(prompt_ids_.size(), std::vector<Completion>(static_cast<size_t>(count)));
  for (size_t r = 0; r < requests.size(); ++r) scored.completions[requests[r].ordinal] = std::move(drawn[r]);
  std::vector<std::string> texts;
  for (const auto& group : scored.completions)
    for (const Completion& c : group) texts.push_back(completion_text(c, setup_.tokenizer, setup_.encoders.end_ids));
  std::vector<RewardQuery> queries;
  for (size_t p = 0; p < prompt_ids_.size(); ++p) {
    const PromptRecord& prompt = setup_.prompts[p];
    for (const Completion& c : scored.completions[p])
      queries.push_back(
          {prompt.text, texts[queries.size()], prompt.answer, &prompt.record, c.finish == FinishReason::kLength});
  }
  const RewardScores scores = setup_.reward->score(queries);
  size_t next = 0;
  for (size_t p = 0; p < prompt_ids_.size(); ++p) {
    const std::vector<Completion>& group = scored.completions[p];
    scored.rewards.emplace_back(scores.total.begin() + static_cast<std::ptrdiff_t>(next),
                                scores.total.begin() + static_cast<std::ptrdiff_t>(next + group.size()));
    auto& measured = scored.measured.emplace_back();
    for (const Completion& c : group) {
      const double reward = scores.total[next];
      measured.push_back({.text = std::move(texts[next]),
                          .tokens = static_cast<int64_t>(c.ids.size()),
                          .truncated = c.finish == FinishReason::kLength,
                          .reward = reward,
                          .correct = asked_[p] && reward > config_.correct_above});
      ++next;
    }
  }
  return scored;
}

void Evaluator::prepare_reference(const CausalLm& reference, double beta) {
  if (config_.reference_samples == 0) return;
  // A seed of its own: the policy's evaluation samples must not be the reference's at the start of training.
  const Scored scored =
      sample(reference, unfiltered_version(setup_.sampling), config_.reference_samples, setup_.seed + 1, "reference");
  reference_value_.clear();
  for (const auto& rewards : scored.rewards) reference_value_.push_back(value_estimate(rewards, beta));
}

EvaluationResult Evaluator::evaluate(const CausalLm& model, const CausalLm* reference, double beta) {
  const torch::NoGradGuard no_grad;
  EvaluationResult result;
  result.prompts = static_cast<int64_t>(prompt_ids_.size());
  result.prompts_too_long = std::count(asked_.begin(), asked_.end(), false);
  for (const PromptRecord& prompt : setup_.prompts)
    result.measured.push_back({{}, {}, text_read(prompt, setup_.encoders)});
  if (config_.greedy) {
    const Scored greedy = sample(model, greedy_version(setup_.sampling), 1, setup_.seed, "greedy");
    for (size_t p = 0; p < greedy.measured.size(); ++p) {
      result.greedy_by_prompt.push_back(greedy.measured[p].front().correct ? 1.0 : 0.0);
      result.measured[p].greedy = greedy.measured[p].front();
    }
    const MeanError m = mean_and_error(result.greedy_by_prompt);
    result.greedy_accuracy = m.mean, result.greedy_error = m.error;
  }
  if (config_.samples_per_prompt > 0) {
    const Scored sampled = sample(model, setup_.sampling, config_.samples_per_prompt, setup_.seed, "sampled");
    result.samples = config_.samples_per_prompt;
    double tokens = 0, cut = 0;
    std::vector<double> rewards;  // mean of each prompt
    for (size_t p = 0; p < sampled.measured.size(); ++p) {
      result.measured[p].samples = sampled.measured[p];
      double right = 0, reward = 0;
      for (const MeasuredResponse& r : sampled.measured[p]) {
        right += r.correct ? 1 : 0;
        reward += r.reward;
        tokens += static_cast<double>(r.tokens);
        cut += r.truncated ? 1 : 0;
      }
      const auto samples = static_cast<double>(sampled.measured[p].size());
      result.sampled_by_prompt.push_back(right / samples);
      rewards.push_back(reward / samples);
    }
    const MeanError m = mean_and_error(result.sampled_by_prompt), r = mean_and_error(rewards);
    const auto count = static_cast<double>(result.prompts * result.samples);
    result.sampled_accuracy = m.mean, result.sampled_error = m.error;
    result.reward_mean = r.mean, result.reward_error = r.error;
    result.response_tokens = tokens / count, result.truncated = cut / count;
    // Under a temperature or a filter the samples are not the model's, and these figures would be of neither.
    if (reference != nullptr && setup_.sampling.unfiltered()) add_divergence(model, *reference, beta, sampled, result);
  }
  if (config_.answer_probability) {
    const MeanError m = mean_and_error(answer_probabilities(model));
    result.answer_probability = m.mean, result.answer_probability_error = m.error;
  }
  return result;
}

void Evaluator::add_divergence(const CausalLm& model, const CausalLm& reference, double beta, const Scored& sampled,
                               EvaluationResult& result) const {
  std::vector<PromptCompletion> items;
  for (size_t p = 0; p < prompt_ids_.size(); ++p)
    if (asked_[p])
      for (const Completion& c : sampled.completions[p]) items.push_back({prompt_ids_[p], c.ids});
  const std::vector<double> policy = sequence_logprobs(model, items), frozen = sequence_logprobs(reference, items);
  std::vector<double> divergences, gaps, value_gaps;
  size_t next = 0;
  for (size_t p = 0; p < sampled.rewards.size(); ++p) {
    if (!asked_[p]) continue;
    std::vector<double> regularized;
    double mean = 0, divergence = 0;
    const auto samples = static_cast<double>(sampled.rewards[p].size());
    for (const double reward : sampled.rewards[p]) {
      const double log_ratio = policy[next] - frozen[next];
      ++next;
      divergence += log_ratio / samples;
      regularized.push_back(reward - beta * log_ratio);
      mean += regularized.back() / samples;
    }
    divergences.push_back(divergence);
    gaps.push_back(optimality_gap(regularized, beta));
    if (!reference_value_.empty()) value_gaps.push_back(reference_value_[p] - mean);
  }
  const MeanError kl = mean_and_error(divergences), gap = mean_and_error(gaps);
  result.kl = kl.mean, result.kl_error = kl.error;
  result.optimality_gap = gap.mean, result.optimality_gap_error = gap.error;
  if (value_gaps.empty()) return;
  const MeanError value_gap = mean_and_error(value_gaps);
  result.value_gap = value_gap.mean, result.value_gap_error = value_gap.error;
}

std::vector<double> Evaluator::answer_probabilities(const CausalLm& model) const {
  std::vector<TokenIds> answers;
  for (const PromptRecord& prompt : setup_.prompts) {
    if (!prompt.answer) throw fail("prompt '{}' has no answer", prompt.id).hint("turn answer_probability off");
    answers.push_back(setup_.encoders.encode(*prompt.answer));
    if (!setup_.encoders.end_ids.empty()) answers.back().push_back(setup_.encoders.end_ids.front());
  }
  std::vector<PromptCompletion> items;
  for (size_t p = 0; p < answers.size(); ++p) {
    if (!asked_[p]) continue;
    check_fits(setup_.prompts[p], prompt_ids_[p], answers[p], limits_of(model));
    items.push_back({prompt_ids_[p], answers[p]});
  }
  const std::vector<double> logprobs = sequence_logprobs(model, items);
  std::vector<double> probabilities(answers.size());  // 0 of prompts that are too long
  size_t next = 0;
  for (size_t p = 0; p < answers.size(); ++p)
    if (asked_[p]) probabilities[p] = std::exp(logprobs[next++]);
  return probabilities;
}

}  // namespace agro
