#pragma once
// Token embedding with a gradient whose bits do not depend on the number of threads.
#include <span>

#include "tensor/torch_compat.h"

namespace agro {

/// weight [V, C] float32 or bfloat16, ids [N] int64 in [0, V) → [N, C] float32 (or the weight's dtype if it is
/// float64). Throws Error for an id outside the vocabulary.
Tensor embed_rows(const Tensor& weight, const Tensor& ids);

/// Throws Error for an id outside [0, vocabulary). ids int64, any shape.
void check_ids(std::span<const int64_t> ids, int64_t vocabulary);
void check_ids(const Tensor& ids, int64_t vocabulary);

}  // namespace agro
