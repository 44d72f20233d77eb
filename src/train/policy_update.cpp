#include "train/policy_update.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/packing.h"
#include "tensor/ops/token_logprob.h"
#include "tensor/ops/vocabulary_kl.h"

namespace agro {
namespace {

/// A rollout laid out as one batch of responses.
struct Flat {
  std::vector<PromptCompletion> items;
  std::vector<const RolloutItem*> sources;
  std::vector<int64_t> group, first_token;  // first_token has one entry more: the total
};

Flat flatten(const Rollout& rollout, const std::vector<TokenIds>& prompt_ids) {
  Flat flat;
  flat.first_token.push_back(0);
  for (size_t g = 0; g < rollout.groups.size(); ++g) {
    for (const RolloutItem& item : rollout.groups[g].items) {
      flat.items.push_back({prompt_ids[rollout.groups[g].prompt_index], item.response.ids});
      flat.sources.push_back(&item);
      flat.group.push_back(static_cast<int64_t>(g));
      flat.first_token.push_back(flat.first_token.back() + static_cast<int64_t>(item.response.ids.size()));
    }
  }
  return flat;
}

/// Consecutive items of at most `token_budget` packed tokens; an item that is longer gets a range of its own. The
/// prompt that neighbours share counts once, as pack_completions() has it.
std::vector<IndexRange> micro_batches(std::span<const PromptCompletion> items, int64_t token_budget) {
  std::vector<IndexRange> ranges;
  int64_t tokens = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    const bool shared = i > 0 && std::ranges::equal(items[i].prompt, items[i - 1].prompt);
    const int64_t added = shared ? static_cast<int64_t>(items[i].completion.size()) - 1 : packed_length(items[i]);
    if (ranges.empty() || tokens + added > token_budget) {
      ranges.push_back({i, i + 1});
      tokens = packed_length(items[i]);
    } else {
      ranges.back().end = i + 1;
      tokens += added;
    }
  }
  return ranges;
}

/// The batch as the objective sees it, all but the policy's side and whoever drew the responses.
ObjectiveInput objective_input(const Flat& flat, const Rollout& rollout, bool fresh_are_policys) {
  const auto responses = static_cast<int64_t>(flat.items.size());
  ObjectiveInput input;
  input.ref_logprobs = rollout.ref_logprobs;
  input.old_values = rollout.old_values;
  input.rewards = torch::empty({responses}, torch::kFloat64);
  input.group = int64_tensor(flat.group);
  input.on_policy = torch::empty({responses}, torch::kBool);
  auto* reward = write_pointer<double>(input.rewards);
  auto* on_policy = write_pointer<bool>(input.on_policy);
  std::vector<int64_t> row;
  for (int64_t i = 0; i < responses; ++i) {
    const RolloutItem& item = *flat.sources[static_cast<size_t>(i)];
    reward[i] = item.response.reward;
    on_policy[i] = item.fresh() && fresh_are_policys && rollout.updates == 0;
    row.insert(row.end(), item.response.ids.size(), i);
  }
  input.row = int64_tensor(row);
  return input;
}

/// Log-probs under whoever drew the responses: of every token where all of those are known, else of whole responses
/// where all of these are.
void add_behavior(const Flat& flat, const Rollout& rollout, StoredBehavior stored, ObjectiveInput& input) {
  const Tensor by_token = torch::empty_like(input.ref_logprobs), by_response = torch::empty_like(input.rewards);
  auto* token = write_pointer<double>(by_token);
  auto* response = write_pointer<double>(by_response);
  const auto* policy = read_pointer<double>(rollout.first_logprobs);
  const auto* reference = read_pointer<double>(input.ref_logprobs);
  bool tokens_known = true, responses_known = true;
  for (size_t i = 0; i < flat.items.size(); ++i) {
    const RolloutItem& item = *flat.sources[i];
    const int64_t first = flat.first_token[i], length = flat.first_token[i + 1] - first;
    const auto fill = [&](const auto* values) {
      std::copy_n(values, length, token + first);
      response[i] = std::accumulate(token + first, token + first + length, 0.0);
    };
    const Response& r = item.response;
    if (!item.fresh() && stored == StoredBehavior::kPolicy) {
      fill(policy + first);
    } else if (!item.fresh() && stored == StoredBehavior::kReference) {
      fill(reference + first);
    } else if (static_cast<int64_t>(r.behavior_logprobs.size()) == length) {
      fill(r.behavior_logprobs.data());
    } else {
      tokens_known = false;
      responses_known = responses_known && r.behavior_logprob.has_value();
      response[i] = r.behavior_logprob.value_or(0);
    }
  }
  if (tokens_known) input.behavior_logprobs = by_token;
  if (!tokens_known && responses_known) input.behavior_response_logprobs = by_response;
}

bool all_finite(const ObjectiveInput& input) {
  for (const Tensor* x : {&input.logprobs, &input.ref_logprobs, &input.full_vocabulary_kl, &input.values})
    if (x->defined() && !x->isfinite().all().item<bool>()) return false;
  return true;
}

/// The log-probs that the sampler noted, all responses being fresh: [Σ lengths] float64.
Tensor sampler_logprobs(const Flat& flat) {
  Tensor all = torch::empty({flat.first_token.back()}, torch::kFloat64);
  for (size_t i = 0; i < flat.items.size(); ++i) {
    const std::vector<float>& sampled = flat.sources[i]->response.behavior_logprobs;
    std::copy(sampled.begin(), sampled.end(), write_pointer<double>(all) + flat.first_token[i]);
  }
  return all;
}

/// Mean |Δ log π| per token of the fresh responses; none where there is no token.
std::optional<double> mismatch(const Flat& flat, const double* logprobs) {
  double sum = 0;
  int64_t compared = 0;
  for (size_t i = 0; i < flat.items.size(); ++i) {
    if (!flat.sources[i]->fresh()) continue;
    const std::vector<float>& sampled = flat.sources[i]->response.behavior_logprobs;
    for (size_t t = 0; t < sampled.size(); ++t, ++compared)
      sum += std::abs(logprobs[flat.first_token[i] + static_cast<int64_t>(t)] - static_cast<double>(sampled[t]));
  }
  return compared > 0 ? std::optional(sum / static_cast<double>(compared)) : std::nullopt;
}

}  // namespace

ReferenceLogprobs::ReferenceLogprobs(const CausalLm& reference, int64_t micro_batch_tokens)
    : reference_(reference), micro_batch_tokens_(micro_batch_tokens) {}

Tensor ReferenceLogprobs::of(const Rollout& rollout, const std::vector<TokenIds>& prompt_ids) {
  const torch::NoGradGuard no_grad;
  const Flat flat = flatten(rollout, prompt_ids);
  std::vector<uint64_t> keys;
  for (const RolloutGroup& group : rollout.groups)
    for (const RolloutItem& item : group.items)
      keys.push_back(static_cast<uint64_t>(group.prompt_index) << 32 | static_cast<uint32_t>(item.stored_index));
  std::vector<size_t> missing;
  std::vector<PromptCompletion> to_compute;
  for (size_t i = 0; i < flat.items.size(); ++i)
    if (flat.sources[i]->fresh() || !stored_.contains(keys[i]))
      missing.push_back(i), to_compute.push_back(flat.items[i]);

  Tensor result = torch::empty({flat.first_token.back()}, torch::kFloat64);
  auto* out = write_pointer<double>(result);
  for (const IndexRange range : micro_batches(to_compute, micro_batch_tokens_)) {
    const Tensor computed =
        completion_logprobs(reference_, std::span(to_compute).subspan(range.begin, range.end - range.begin))
            .to(torch::kCPU, torch::kDouble);
    const auto* values = read_pointer<double>(computed);
    for (size_t m = range.begin; m < range.end; ++m) {
      const size_t i = missing[m], length = to_compute[m].completion.size();
      std::copy_n(values, length, out + flat.first_token[i]);
      if (!flat.sources[i]->fresh()) stored_.emplace(keys[i], std::vector<float>(values, values + length));
      values += length;
    }
  }
  for (size_t i = 0; i < flat.items.size(); ++i)
    if (!flat.sources[i]->fresh())
      std::copy_n(stored_.at(keys[i]).begin(), flat.items[i].completion.size(), out + flat.first_token[i]);
  return result;
}

PolicyUpdate::PolicyUpdate(const CausalLm& policy, const CausalLm& reference, const Objective& objective,
                           const PolicyUpdateOptions& options)
    : policy_(policy),
      reference_(reference),
      objective_(objective),
      options_(options),
      reference_logprobs_(reference, options.micro_batch_tokens) {}

PolicyUpdate::Forward PolicyUpdate::forward(std::span<const PromptCompletion> items, bool with_logprobs) const {
  const ObjectiveNeeds needs = objective_.needs();
  const CompletionBatch batch = pack_completions(items);
  Forward result;
  result.hidden = policy_.hidden_states(batch.tokens).index_select(0, batch.rows);
  result.targets = batch.targets;
  if (with_logprobs) {
    const torch::NoGradGuard no_grad;
    result.logprobs = token_logprobs(result.hidden, policy_.head(), batch.targets);
  }
  if (needs.full_vocabulary_kl) {
    Tensor ref_hidden;
    {
      const torch::NoGradGuard no_grad;
      ref_hidden = reference_.hidden_states(batch.tokens).index_select(0, batch.rows);
    }
    result.full_vocabulary_kl = vocabulary_kl(result.hidden, policy_.head(), ref_hidden, reference_.head());
  }
  if (needs.values && options_.value_head != nullptr) result.values = options_.value_head->values(result.hidden);
  return result;
}

/// Backward pass of Σ_tokens gradient · value, whose gradient is the objective's. `known`: log-probabilities of the
/// micro-batch's tokens; returns those that the pass itself finds.
Tensor PolicyUpdate::backward(const Forward& f, const Tensor& known, const ObjectiveGradient& gradient,
                              int64_t first) const {
  const auto part = [&](const Tensor& of_batch, const Tensor& like) {
    return of_batch.narrow(0, first, like.size(0)).to(like.options());
  };
  const WeightedLogprobs weighted =
      weighted_token_logprobs(f.hidden, policy_.head(), f.targets,
                              part(gradient.logprobs, known).to(f.hidden.options()), known.to(f.hidden.options()));
  Tensor sum = weighted.sum;
  if (f.full_vocabulary_kl.defined())
    sum = sum + (f.full_vocabulary_kl * part(gradient.full_vocabulary_kl, f.full_vocabulary_kl)).sum();
  if (f.values.defined()) sum = sum + (f.values * part(gradient.values, f.values)).sum();
  sum.backward();
  return weighted.logprobs;
}

bool PolicyUpdate::sampler_knows(const Rollout& rollout) const {
  const ObjectiveNeeds needs = objective_.needs();
  if (!options_.sampler_logprobs || rollout.updates > 0 || needs.full_vocabulary_kl || needs.values) return false;
  for (const RolloutGroup& group : rollout.groups)
    for (const RolloutItem& item : group.items)
      if (!item.fresh() || item.response.behavior_logprobs.size() != item.response.ids.size()) return false;
  return true;
}

UpdateResult PolicyUpdate::accumulate_gradients(Rollout& rollout, const std::vector<TokenIds>& prompt_ids) {
  const Flat flat = flatten(rollout, prompt_ids);
  const std::vector<IndexRange> ranges = micro_batches(flat.items, options_.micro_batch_tokens);
  const auto part = [&](const IndexRange& r) { return std::span(flat.items).subspan(r.begin, r.end - r.begin); };
  if (!rollout.ref_logprobs.defined()) rollout.ref_logprobs = reference_logprobs_.of(rollout, prompt_ids);
  ObjectiveInput input = objective_input(flat, rollout, options_.fresh_are_policys);
  if (options_.optimal_values != nullptr) input.optimal_values = options_.optimal_values->of(rollout);

  // The weights of a group's tokens need the log-probs of the whole group: from the sampler where it drew them all,
  // else from a pass of their own, without graph where there are several micro-batches.
  const bool sampled = sampler_knows(rollout);
  std::optional<Forward> only;
  const auto note = [&](const IndexRange& range, const Tensor& x, Tensor& whole) {
    if (!x.defined()) return;
    if (!whole.defined()) whole = torch::empty({flat.first_token.back()}, torch::kFloat64);
    whole.narrow(0, flat.first_token[range.begin], x.size(0)).copy_(x.detach());
  };
  if (sampled) input.logprobs = sampler_logprobs(flat);
  for (const IndexRange& range : sampled ? std::vector<IndexRange>() : ranges) {
    const torch::AutoGradMode graph(ranges.size() == 1);
    Forward f = forward(part(range), true);
    note(range, f.logprobs, input.logprobs);
    note(range, f.full_vocabulary_kl, input.full_vocabulary_kl);
    note(range, f.values, input.values);
    if (ranges.size() == 1) only = std::move(f);
  }
  UpdateResult result;
  result.loss = std::nan("");
  if (!all_finite(input)) return result;
  if (!rollout.first_logprobs.defined()) rollout.first_logprobs = input.logprobs;
  add_behavior(flat, rollout, options_.stored_behavior, input);
  const ObjectiveGradient gradient = evaluate_with_gradient(objective_, input);
  Tensor found;
  for (const IndexRange& range : ranges) {
    const Forward f = only ? std::move(*only) : forward(part(range), false);
    const int64_t first = flat.first_token[range.begin];
    note(range, backward(f, input.logprobs.narrow(0, first, f.targets.size(0)), gradient, first), found);
  }

  result.loss = gradient.loss;
  result.metrics = gradient.metrics;
  const Tensor ratios = log_ratio(input);
  result.log_ratios.assign(read_pointer<double>(ratios), read_pointer<double>(ratios) + ratios.size(0));
  for (const IndexRange& range : ranges) result.tokens += packed_tokens(part(range));
  if (rollout.updates == 0) result.sampler_mismatch = mismatch(flat, read_pointer<double>(found));
  if (!rollout.old_values.defined()) rollout.old_values = input.values;
  ++rollout.updates;
  return result;
}

}  // namespace agro
