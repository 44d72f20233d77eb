#pragma once
// One JSON record in, loss and gradient out: what `agro objective NAME` does with each line.
#include "core/json.h"
#include "objective/objective.h"

namespace agro {

/// Evaluates {"rewards": [B], "groups": [B], "logprobs", "ref_logprobs", "behavior_logprobs"?, "values"?, "pairs"?} in
/// float64. Log-probabilities are [[token…]…] or one number per response, all alike; groups are integers or strings in
/// any order. An optional key may be null. "values" and "pairs" are for objectives that learn from them.
///
/// Responses count as on-policy where behavior_logprobs equal logprobs to 1e-6 nats per response; without
/// behavior_logprobs, whoever asks for an on-policy figure vouches for it.
///
/// Returns {"loss", "grad": d loss / d logprobs in their shape, "metrics": {name: number}}.
/// Throws Error naming key and index for a missing, unknown or mistyped key, a non-finite number, unequal shapes or an
/// overflow, and as Objective::evaluate() does.
OrderedJson evaluate_record(const Objective& objective, const Json& record);

}  // namespace agro
