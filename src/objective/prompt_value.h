#pragma once
// V(x) from a value head's estimates at every token.
#include "objective/objective.h"

namespace agro {

/// The value of every prompt: [G], differentiable in input.values. It is the one before the first token of the prompt's
/// responses, averaged over them; they differ only where the model's passes do. Throws Error for a prompt whose
/// responses have no tokens.
at::Tensor prompt_values(const ObjectiveInput& input);

}  // namespace agro
