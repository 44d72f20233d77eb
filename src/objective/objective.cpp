#include "objective/objective.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/expm1.h>
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

/// A vector of `length` values of the batch's dtype on its device; undefined tensors pass.
void check_vector(const at::Tensor& x, std::string_view what, int64_t length, at::ScalarType dtype,
                  const at::Tensor& batch) {
  if (!x.defined()) return;
  if (x.dim() != 1 || x.size(0) != length)
    throw fail("{} must be a vector of {} values, found shape {}", what, length, fmt::join(x.sizes(), "×"));
  if (x.scalar_type() != dtype)
    throw fail("{} must be {}, found {}", what, c10::toString(dtype), c10::toString(x.scalar_type()));
  if (x.device() != batch.device())
    throw fail("{} is on {}, but logprobs are on {}", what, x.device().str(), batch.device().str());
  if (x.is_floating_point()) check_finite(x.detach(), what);
}

void check_needs(const ObjectiveInput& input, const ObjectiveNeeds& needs) {
  if (needs.behavior_logprobs && !input.behavior_logprobs.defined())
    throw Error("needs behavior_logprobs: the log-probabilities under the policy that drew the responses");
  if (needs.full_vocabulary_kl && !input.full_vocabulary_kl.defined())
    throw Error("needs the full-vocabulary KL of every token, which only a model can give");
  if (!needs.on_policy) return;
  if (!input.on_policy.defined())
    throw Error("needs responses drawn from the current policy, but the batch does not say which are");
  const at::Tensor foreign = input.on_policy.logical_not().nonzero();
  if (foreign.numel() > 0)
    throw fail("is valid only for responses drawn from the current policy, and {} of {} are not (response {} first)",
               foreign.size(0), input.on_policy.size(0), foreign[0].item<int64_t>())
        .hint("through_sampling = false and credit = \"sequence\" are valid for responses from anywhere");
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
  check_vector(logprobs, "logprobs", tokens, dtype, logprobs);
  check_vector(input.ref_logprobs, "ref_logprobs", tokens, dtype, logprobs);
  check_vector(input.behavior_logprobs, "behavior_logprobs", tokens, dtype, logprobs);
  check_vector(input.full_vocabulary_kl, "full_vocabulary_kl", tokens, dtype, logprobs);
  check_vector(input.row, "row", tokens, at::kLong, logprobs);
  check_vector(input.rewards, "rewards", responses, dtype, logprobs);
  check_vector(input.group, "group", responses, at::kLong, logprobs);
  check_vector(input.on_policy, "on_policy", responses, at::kBool, logprobs);
  if (tokens > 0 && (input.row[0].item<int64_t>() < 0 || input.row[-1].item<int64_t>() >= responses ||
                     !input.row.diff().ge(0).all().item<bool>()))
    throw fail("row must ascend within 0 … {}", responses - 1);
  if (input.group.min().item<int64_t>() < 0 || input.group.max().item<int64_t>() >= responses)
    throw fail("group must lie within 0 … {}", responses - 1);
}

}  // namespace

ObjectiveResult Objective::evaluate(const ObjectiveInput& input) const {
  try {
    check(input);
    check_needs(input, needs());
    return compute(input, Groups(input.group, input.logprobs.scalar_type()));
  } catch (Error& error) {
    throw std::move(error).at(fmt::format("objective '{}'", name()));
  }
}

ObjectiveGradient evaluate_with_gradient(const Objective& objective, const ObjectiveInput& input) {
  c10::AutoGradMode enable_gradients(true);
  const auto leaf = [](const at::Tensor& x) { return x.defined() ? x.detach().clone().requires_grad_() : x; };
  ObjectiveInput batch = input;
  batch.logprobs = leaf(input.logprobs);
  batch.full_vocabulary_kl = leaf(input.full_vocabulary_kl);
  ObjectiveResult result = objective.evaluate(batch);
  result.loss.backward();
  return {.loss = result.loss.item<double>(),
          .logprobs = batch.logprobs.grad(),
          .full_vocabulary_kl = batch.full_vocabulary_kl.defined() ? batch.full_vocabulary_kl.grad() : at::Tensor(),
          .metrics = std::move(result.metrics)};
}

at::Tensor sum_per_response(const at::Tensor& x, const ObjectiveInput& input) {
  return segment_sum(x, input.row, input.rewards.size(0));
}

at::Tensor log_ratio(const ObjectiveInput& input) {
  return sum_per_response(input.logprobs - input.ref_logprobs, input);
}

at::Tensor kl_k3(const at::Tensor& logprobs, const at::Tensor& ref_logprobs) {
  const at::Tensor d = ref_logprobs - logprobs;
  return at::expm1(d) - d;
}

}  // namespace agro
