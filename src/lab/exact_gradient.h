#pragma once
// Exact gradients of the spec's equations with respect to the logits of a tabular policy, and their derivatives.
//
// Arguments: logprobs [Y] of the policy, mu [Y] probabilities of the behaviour, held fixed. Results [Y] and [Y, Y].
#include "lab/tabular.h"

namespace agro {

/// ∇L_μ of the consistency loss ½ Var_μ R_θ (A5). The weights add up to zero, so the softmax drops out.
Vector consistency_gradient(const TabularPrompt& prompt, const Vector& logprobs, const Vector& mu);

/// Its Hessian β² (diag μ - μ μᵀ), which depends on no policy: by logits the loss is a quadratic function.
SquareMatrix consistency_curvature(const TabularPrompt& prompt, const Vector& mu);

/// ∇J (A8): uphill.
Vector objective_gradient(const TabularPrompt& prompt, const Vector& logprobs);

/// ∇ ½ Var_{π_θ} R_θ, through the sampling too (A9).
Vector through_sampling_gradient(const TabularPrompt& prompt, const Vector& logprobs);

/// Its Jacobian, the Hessian of ½ Var_{π_θ} R_θ; not positive definite in general.
SquareMatrix through_sampling_curvature(const TabularPrompt& prompt, const Vector& logprobs);

/// The foil's (A11), downhill: of -E_μ[(r - r̄_μ) log π_θ] + β KL(π_θ‖π_ref).
Vector foil_gradient(const TabularPrompt& prompt, const Vector& logprobs, const Vector& mu);

/// The Jacobian of foil_gradient; not positive definite in general. μ may consist of the policy for a share of it
/// (0: μ is fixed, 1: on-policy), which then moves along.
SquareMatrix foil_curvature(const TabularPrompt& prompt, const Vector& logprobs, const Vector& mu, double policy_share);

/// ∇KL(π_θ‖π_ref) = π (log π/π_ref - KL).
Vector kl_gradient(const TabularPrompt& prompt, const Vector& logprobs);

}  // namespace agro
