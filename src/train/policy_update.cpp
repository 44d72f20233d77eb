#include "train/policy_update.h"

#include <algorithm>
#include <cmath>

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

std::vector<IndexRange> micro_batches(std::span<const PromptCompletion> items, int64_t token_budget) {
  std::vector<int64_t> lengths;
  for (const PromptCompletion& item : items) lengths.push_back(packed_length(item));
  return pack_by_tokens(lengths, token_budget);
}

/// The batch as the objective sees it, all but the policy's log-probs.
ObjectiveInput objective_input(const Flat& flat, const Tensor& ref_logprobs) {
  const auto responses = static_cast<int64_t>(flat.items.size());
  ObjectiveInput input;
  input.ref_logprobs = ref_logprobs;
  input.rewards = torch::empty({responses}, torch::kFloat64);
  input.group = int64_tensor(flat.group);
  input.on_policy = torch::empty({responses}, torch::kBool);
  auto* reward = write_pointer<double>(input.rewards);
  auto* on_policy = write_pointer<bool>(input.on_policy);
  std::vector<int64_t> row;
  std::vector<double> behavior;
  bool behavior_known = true;
  for (int64_t i = 0; i < responses; ++i) {
    const RolloutItem& item = *flat.sources[static_cast<size_t>(i)];
    reward[i] = item.response.reward;
    on_policy[i] = item.stored_index < 0;
    row.insert(row.end(), item.response.ids.size(), i);
    behavior.insert(behavior.end(), item.policy_logprobs.begin(), item.policy_logprobs.end());
    behavior_known = behavior_known && !item.policy_logprobs.empty();
  }
  input.row = int64_tensor(row);
  if (behavior_known) input.behavior_logprobs = torch::tensor(behavior, torch::kFloat64);
  return input;
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
    if (flat.sources[i]->stored_index < 0 || !stored_.contains(keys[i]))
      missing.push_back(i), to_compute.push_back(flat.items[i]);

  Tensor result = torch::empty({flat.first_token.back()}, torch::kFloat64);
  auto* out = write_pointer<double>(result);
  for (const IndexRange range : micro_batches(to_compute, micro_batch_tokens_)) {
    const Tensor computed =
        completion_logprobs(reference_, std::span(to_compute).subspan(range.begin, range.end - range.begin))
            .to(torch::kCPU, torch::kFloat);
    const auto* values = read_pointer<float>(computed);
    for (size_t m = range.begin; m < range.end; ++m) {
      const size_t i = missing[m], length = to_compute[m].completion.size();
      std::copy_n(values, length, out + flat.first_token[i]);
      if (flat.sources[i]->stored_index >= 0) stored_.emplace(keys[i], std::vector<float>(values, values + length));
      values += length;
    }
  }
  for (size_t i = 0; i < flat.items.size(); ++i)
    if (flat.sources[i]->stored_index >= 0)
      std::copy_n(stored_.at(keys[i]).begin(), flat.items[i].completion.size(), out + flat.first_token[i]);
  return result;
}

PolicyUpdate::PolicyUpdate(const CausalLm& policy, const CausalLm& reference, const Objective& objective,
                           int64_t micro_batch_tokens)
    : policy_(policy),
      reference_(reference),
      objective_(objective),
      micro_batch_tokens_(micro_batch_tokens),
      reference_logprobs_(reference, micro_batch_tokens) {}

PolicyUpdate::Forward PolicyUpdate::forward(std::span<const PromptCompletion> items) const {
  const CompletionBatch batch = pack_completions(items);
  const Tensor hidden = policy_.hidden_states(batch.tokens).index_select(0, batch.rows);
  Forward result{token_logprobs(hidden, policy_.head(), batch.targets), Tensor()};
  if (objective_.needs().full_vocabulary_kl) {
    Tensor ref_hidden;
    {
      const torch::NoGradGuard no_grad;
      ref_hidden = reference_.hidden_states(batch.tokens).index_select(0, batch.rows);
    }
    result.full_vocabulary_kl = vocabulary_kl(hidden, policy_.head(), ref_hidden, reference_.head());
  }
  return result;
}

UpdateResult PolicyUpdate::accumulate_gradients(const Rollout& rollout, const std::vector<TokenIds>& prompt_ids) {
  const Flat flat = flatten(rollout, prompt_ids);
  const std::vector<IndexRange> ranges = micro_batches(flat.items, micro_batch_tokens_);
  const auto part = [&](const IndexRange& r) { return std::span(flat.items).subspan(r.begin, r.end - r.begin); };
  const auto tokens_of = [&](const IndexRange& r, const Tensor& x) {
    return x.narrow(0, flat.first_token[r.begin], flat.first_token[r.end] - flat.first_token[r.begin]);
  };
  ObjectiveInput input = objective_input(flat, reference_logprobs_.of(rollout, prompt_ids));

  // One micro-batch: its own forward pass gives the values. Several: a pass without graph first, because the weights of
  // a group's tokens need the log-probs of the whole group.
  std::optional<Forward> only;
  input.logprobs = torch::empty({flat.first_token.back()}, torch::kFloat64);
  if (objective_.needs().full_vocabulary_kl) input.full_vocabulary_kl = torch::empty_like(input.logprobs);
  for (const IndexRange& range : ranges) {
    const torch::AutoGradMode graph(ranges.size() == 1);
    Forward f = forward(part(range));
    tokens_of(range, input.logprobs).copy_(f.logprobs.detach());
    if (f.full_vocabulary_kl.defined()) tokens_of(range, input.full_vocabulary_kl).copy_(f.full_vocabulary_kl.detach());
    if (ranges.size() == 1) only = std::move(f);
  }
  const ObjectiveGradient gradient = evaluate_with_gradient(objective_, input);
  for (const IndexRange& range : ranges) {
    const Forward f = only ? std::move(*only) : forward(part(range));
    Tensor surrogate = (f.logprobs * tokens_of(range, gradient.logprobs).to(f.logprobs.options())).sum();
    if (f.full_vocabulary_kl.defined())
      surrogate = surrogate +
                  (f.full_vocabulary_kl * tokens_of(range, gradient.full_vocabulary_kl).to(f.logprobs.options())).sum();
    surrogate.backward();
  }

  UpdateResult result;
  result.loss = gradient.loss;
  result.metrics = gradient.metrics;
  const Tensor ratios = log_ratio(input);
  result.log_ratios.assign(read_pointer<double>(ratios), read_pointer<double>(ratios) + ratios.size(0));
  const auto* logprobs = read_pointer<double>(input.logprobs);
  int64_t compared = 0;
  for (size_t i = 0; i < flat.items.size(); ++i) {
    result.tokens += packed_length(flat.items[i]);
    for (size_t t = 0; t < flat.sources[i]->policy_logprobs.size(); ++t, ++compared)
      result.sampler_mismatch += std::abs(logprobs[flat.first_token[i] + static_cast<int64_t>(t)] -
                                          static_cast<double>(flat.sources[i]->policy_logprobs[t]));
  }
  if (compared > 0) result.sampler_mismatch /= static_cast<double>(compared);
  return result;
}

}  // namespace agro
