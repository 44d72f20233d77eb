#include "objective/objective.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include "core/error.h"
#include "objective/group.h"

namespace agro {
namespace {

void check_finite(const at::Tensor& x, std::string_view what) {
  const at::Tensor bad = x.isfinite().logical_not().nonzero();
  if (bad.numel() == 0) return;
  const int64_t index = bad[0].item<int64_t>();
  throw fail("{}[{}] is {}, expected finite numbers ({} of {} are not)", what, index, x[index].item<double>(),
             bad.size(0), x.size(0));
}

/// A tensor of the given shape and dtype on the device of `batch`; undefined tensors pass.
void check_tensor(const at::Tensor& x, std::string_view what, at::IntArrayRef shape, at::ScalarType dtype,
                  const at::Tensor& batch) {
  if (!x.defined()) return;
  if (x.sizes() != shape)
    throw fail("{} must be a vector of {} values, found shape {}", what, fmt::join(shape, "×"),
               fmt::join(x.sizes(), "×"));
  if (x.scalar_type() != dtype)
    throw fail("{} must be {}, found {}", what, c10::toString(dtype), c10::toString(x.scalar_type()));
  if (x.device() != batch.device())
    throw fail("{} is on {}, but logprobs are on {}", what, x.device().str(), batch.device().str());
  if (x.is_floating_point()) check_finite(x.detach(), what);
}

void check_pairs(const ObjectiveInput& input, int64_t responses) {
  const at::Tensor& pairs = input.pairs;
  if (!pairs.defined()) return;
  if (pairs.dim() != 2 || pairs.size(1) != 2)
    throw fail("pairs must have two columns, chosen and rejected, found shape {}", fmt::join(pairs.sizes(), "×"));
  check_tensor(pairs, "pairs", pairs.sizes(), at::kLong, input.logprobs);
  if (pairs.size(0) == 0) throw Error("pairs is empty, expected at least one chosen and rejected response");
  if (pairs.min().item<int64_t>() < 0 || pairs.max().item<int64_t>() >= responses)
    throw fail("pairs must name responses within 0 … {}", responses - 1);
  const at::Tensor chosen = pairs.select(1, 0), rejected = pairs.select(1, 1);
  const auto refuse_where = [&](const at::Tensor& bad, std::string_view why) {
    if (const at::Tensor found = bad.nonzero(); found.numel() > 0)
      throw fail("pairs[{}] = ({}, {}) {}", found[0].item<int64_t>(), chosen[found[0].item<int64_t>()].item<int64_t>(),
                 rejected[found[0].item<int64_t>()].item<int64_t>(), why);
  };
  refuse_where(chosen.eq(rejected), "pairs a response with itself");
  refuse_where(input.group.index_select(0, chosen).ne(input.group.index_select(0, rejected)),
               "pairs responses of different prompts");
}

void check_on_policy(const at::Tensor& on_policy) {
  if (!on_policy.defined())
    throw Error("needs responses drawn from the current policy, but the batch does not say which are");
  const at::Tensor foreign = on_policy.logical_not().nonzero();
  if (foreign.numel() > 0)
    throw fail("is valid only for responses drawn from the current policy, and {} of {} are not (response {} first)",
               foreign.size(0), on_policy.size(0), foreign[0].item<int64_t>())
        .hint("through_sampling = false and credit = \"sequence\" are valid for responses from anywhere");
}

void check_needs(const ObjectiveInput& input, const ObjectiveNeeds& needs) {
  if (needs.behavior_logprobs && !input.behavior_logprobs.defined())
    throw Error("needs behavior_logprobs: the log-probabilities under the policy that drew the responses")
        .hint(
            "reinforce, rloo and kl_policy_gradient need none for responses of the current policy, and agro none at "
            "all");
  if (needs.behavior_response_logprobs && !input.behavior_logprobs.defined() &&
      !input.behavior_response_logprobs.defined())
    throw Error("needs behavior_logprobs: of the tokens or of whole responses, under the policy that drew them")
        .hint("agro, trajectory_balance and copg learn from the same responses without them");
  if (needs.full_vocabulary_kl && !input.full_vocabulary_kl.defined())
    throw Error("needs the full-vocabulary KL of every token, which only a model can give")
        .hint("kl_estimator = \"k2\" and \"k3\" estimate it from the tokens");
  if (needs.values && !input.values.defined())
    throw Error("needs values: a value head's estimate before every token")
        .hint("agro, rloo and grpo take their baseline from the other responses to the prompt instead");
  if (needs.pairs && !input.pairs.defined())
    throw Error("needs pairs of a chosen and a rejected response")
        .hint(
            "pairing = \"best_worst\" forms them from the rewards; agro learns from the same responses without pairs");
  if (needs.optimal_values && !input.optimal_values.defined())
    throw Error("needs optimal_values: V* of every prompt, computed beforehand from the reference's responses")
        .hint("agro estimates it from each prompt's own group");
  if (needs.on_policy) check_on_policy(input.on_policy);
}

void check(const ObjectiveInput& input) {
  for (const auto& [tensor, what] : {std::pair{&input.logprobs, "logprobs"},
                                     {&input.ref_logprobs, "ref_logprobs"},
                                     {&input.row, "row"},
                                     {&input.rewards, "rewards"},
                                     {&input.group, "group"}})
    if (!tensor->defined()) throw fail("{} is missing", what);
  const at::Tensor& logprobs = input.logprobs;
  const at::ScalarType dtype = logprobs.scalar_type();
  if (dtype != at::kFloat && dtype != at::kDouble)
    throw fail("logprobs must be float32 or float64, found {}", c10::toString(dtype));
  const int64_t tokens = logprobs.dim() == 1 ? logprobs.size(0) : -1;
  const int64_t responses = input.rewards.dim() == 1 ? input.rewards.size(0) : -1;
  if (tokens < 0 || responses < 0) throw Error("logprobs and rewards must be vectors");
  if (responses == 0) throw Error("the batch has no responses");
  for (const auto& [tensor, what] : {std::pair{&input.logprobs, "logprobs"},
                                     {&input.ref_logprobs, "ref_logprobs"},
                                     {&input.behavior_logprobs, "behavior_logprobs"},
                                     {&input.full_vocabulary_kl, "full_vocabulary_kl"},
                                     {&input.values, "values"},
                                     {&input.old_values, "old_values"}})
    check_tensor(*tensor, what, {tokens}, dtype, logprobs);
  check_tensor(input.row, "row", {tokens}, at::kLong, logprobs);
  check_tensor(input.rewards, "rewards", {responses}, dtype, logprobs);
  check_tensor(input.behavior_response_logprobs, "behavior_response_logprobs", {responses}, dtype, logprobs);
  check_tensor(input.group, "group", {responses}, at::kLong, logprobs);
  check_tensor(input.on_policy, "on_policy", {responses}, at::kBool, logprobs);
  if (tokens > 0 && (input.row[0].item<int64_t>() < 0 || input.row[-1].item<int64_t>() >= responses ||
                     !input.row.diff().ge(0).all().item<bool>()))
    throw fail("row must ascend within 0 … {}", responses - 1);
  if (input.group.min().item<int64_t>() < 0 || input.group.max().item<int64_t>() >= responses)
    throw fail("group must lie within 0 … {}", responses - 1);
  check_tensor(input.optimal_values, "optimal_values", {input.group.max().item<int64_t>() + 1}, dtype, logprobs);
  check_pairs(input, responses);
}

}  // namespace

ObjectiveResult Objective::evaluate(const ObjectiveInput& input) const {
  try {
    check(input);
    check_needs(input, needs());
    return compute(input, Groups(input.group, input.logprobs.scalar_type(), needs().group_size));
  } catch (Error& error) {
    throw std::move(error).at(fmt::format("objective '{}'", name()));
  }
}

ObjectiveGradient evaluate_with_gradient(const Objective& objective, const ObjectiveInput& input) {
  c10::AutoGradMode enable_gradients(true);
  const auto leaf = [](const at::Tensor& x) { return x.defined() ? x.detach().clone().requires_grad_() : x; };
  const auto gradient_of = [](const at::Tensor& x) { return x.defined() ? x.grad() : x; };
  ObjectiveInput batch = input;
  batch.logprobs = leaf(input.logprobs);
  batch.full_vocabulary_kl = leaf(input.full_vocabulary_kl);
  batch.values = leaf(input.values);
  ObjectiveResult result = objective.evaluate(batch);
  if (result.loss.requires_grad()) result.loss.backward();
  const at::Tensor of_logprobs = gradient_of(batch.logprobs);
  return {.loss = result.loss.item<double>(),
          .logprobs = of_logprobs.defined() ? of_logprobs : at::zeros_like(input.logprobs),
          .full_vocabulary_kl = gradient_of(batch.full_vocabulary_kl),
          .values = gradient_of(batch.values),
          .metrics = std::move(result.metrics)};
}

at::Tensor sum_per_response(const at::Tensor& x, const ObjectiveInput& input) {
  return segment_sum(x, input.row, input.rewards.size(0));
}

at::Tensor mean_per_response(const at::Tensor& x, const ObjectiveInput& input) {
  const at::Tensor length = input.row.bincount({}, input.rewards.size(0)).clamp_min(1);
  return sum_per_response(x, input) / length.to(x.scalar_type());
}

at::Tensor spread_over_tokens(const at::Tensor& x, const ObjectiveInput& input) { return x.index_select(0, input.row); }

at::Tensor log_ratio(const ObjectiveInput& input) {
  return sum_per_response(input.logprobs - input.ref_logprobs, input);
}

at::Tensor behavior_log_ratio(const ObjectiveInput& input) {
  if (input.behavior_logprobs.defined()) return sum_per_response(input.logprobs - input.behavior_logprobs, input);
  return sum_per_response(input.logprobs, input) - input.behavior_response_logprobs;
}

}  // namespace agro
