#include "objective/pairs.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/stack.h>

#include "objective/group.h"

namespace agro {
namespace {

at::Tensor best_worst_pairs(const at::Tensor& rewards, const at::Tensor& group) {
  const int64_t prompts = group.max().item<int64_t>() + 1;
  const auto group_maximum = [&](const at::Tensor& x) { return segment_max(x, group, prompts).index_select(0, group); };
  const at::Tensor highest = group_maximum(rewards), lowest = -group_maximum(-rewards);
  const at::Tensor differ = highest.gt(lowest);
  const at::Tensor best = rewards.eq(highest).logical_and(differ).nonzero().flatten();
  const at::Tensor worst = rewards.eq(lowest).logical_and(differ).nonzero().flatten();
  const at::Tensor same_prompt = group.index_select(0, best).unsqueeze(1).eq(group.index_select(0, worst));
  const at::Tensor found = same_prompt.nonzero();
  return at::stack({best.index_select(0, found.select(1, 0)), worst.index_select(0, found.select(1, 1))}, 1);
}

}  // namespace

at::Tensor pairs_of(const ObjectiveInput& input, Pairing pairing) {
  return pairing == Pairing::kGiven ? input.pairs : best_worst_pairs(input.rewards.detach(), input.group);
}

at::Tensor all_pairs(const at::Tensor& group) { return group.unsqueeze(1).eq(group).triu(1).nonzero(); }

at::Tensor pair_difference(const at::Tensor& x, const at::Tensor& pairs) {
  return x.index_select(0, pairs.select(1, 0)) - x.index_select(0, pairs.select(1, 1));
}

at::Tensor mean_over_pairs(const at::Tensor& x, const at::Tensor& pairs, const ObjectiveInput& input) {
  const int64_t prompts = input.group.max().item<int64_t>() + 1;
  const at::Tensor prompt = input.group.index_select(0, pairs.select(1, 0));
  const at::Tensor count = segment_sum(at::ones_like(x.detach()), prompt, prompts);
  const at::Tensor mean = segment_sum(x, prompt, prompts) / count.clamp_min(1);
  return mean.sum() / count.gt(0).sum().clamp_min(1);
}

}  // namespace agro
