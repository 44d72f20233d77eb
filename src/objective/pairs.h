#pragma once
// Pairs of responses to one prompt: [P, 2] int64, the chosen response's index and the rejected one's.
#include "objective/objective.h"

namespace agro {

/// Where the pairs of DPO and IPO come from.
///   kGiven      ObjectiveInput::pairs
///   kBestWorst  formed from each prompt's rewards: its highest against its lowest, every combination where several
///               share them; none for a prompt whose rewards are all equal
enum class Pairing { kGiven, kBestWorst };

/// The batch's pairs: [P, 2]; P may be 0 with kBestWorst.
at::Tensor pairs_of(const ObjectiveInput& input, Pairing pairing);

/// Every two responses of a prompt, once: group [B] -> [P, 2].
at::Tensor all_pairs(const at::Tensor& group);

/// x of the chosen minus x of the rejected response: x [B], pairs [P, 2] -> [P], differentiable.
at::Tensor pair_difference(const at::Tensor& x, const at::Tensor& pairs);

/// Mean over the prompts that have pairs of the mean over their pairs, 0 where there are none: x [P] -> scalar,
/// differentiable.
at::Tensor mean_over_pairs(const at::Tensor& x, const at::Tensor& pairs, const ObjectiveInput& input);

}  // namespace agro
