#pragma once
// One JSON record in, loss and gradient out: what `agro objective NAME` does with each line.
#include "core/json.h"
#include "objective/objective.h"

namespace agro {

/// Evaluates {"rewards": [B], "groups": [B], "logprobs", "ref_logprobs", "behavior_logprobs"?, "values"?,
/// "old_values"?, "pairs"?: [[chosen, rejected]…], "optimal_values"?: [G]} in float64. Log-probabilities and values are
/// [[token…]…] or one number per response, all alike; groups are integers or strings in any order, and optimal_values
/// follow the order of their first appearance; pairs name responses by their place from 0. An optional key may be null.
///
/// Responses count as on-policy where behavior_logprobs equal logprobs to 1e-6 nats per response; without
/// behavior_logprobs, whoever asks for an on-policy figure vouches for it.
///
/// Returns {"loss", "grad": d loss / d logprobs in their shape, "grad_values"? where the objective reads values,
/// "metrics": {name: number}}.
/// Throws Error naming key and index for a missing, unknown or mistyped key, a non-finite number, unequal shapes or an
/// overflow, and as Objective::evaluate() does.
OrderedJson evaluate_record(const Objective& objective, const Json& record);

}  // namespace agro
