#include "objective/prompt_value.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones_like.h>

#include "core/error.h"
#include "objective/group.h"

namespace agro {

at::Tensor prompt_values(const ObjectiveInput& input) {
  const int64_t prompts = input.group.max().item<int64_t>() + 1;
  const at::Tensor before = at::full({1}, -1, input.row.options());
  const at::Tensor first = input.row.diff(1, 0, before).ne(0).nonzero().flatten();
  const at::Tensor values = input.values.index_select(0, first);
  const at::Tensor prompt = input.group.index_select(0, input.row.index_select(0, first));
  const at::Tensor count = segment_sum(at::ones_like(values.detach()), prompt, prompts);
  const at::Tensor empty = count.eq(0).nonzero();
  if (empty.numel() > 0) throw fail("prompt {} has no response tokens, and so no value", empty[0].item<int64_t>());
  return segment_sum(values, prompt, prompts) / count;
}

}  // namespace agro
