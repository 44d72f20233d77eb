#pragma once
// Where the foil (A11) comes to rest for a fixed behaviour distribution, or that it does not.
//
// With w = π/π_ref and q(a) = μ(a) (r(a) - r̄_μ) / (β π_ref(a)) its fixed points solve w (log w - K) = q, K =
// KL(π‖π_ref). For a given K each w(a) is a branch of Lambert's function, and Σ π_ref w = 1 decides K: docs/theory.md.
#include <optional>

#include "lab/tabular.h"

namespace agro {

/// log π at the interior fixed point that is a local minimum of the foil's loss, or nothing: then the loss falls
/// without end towards the boundary. mu: [Y] probabilities that do not depend on the policy.
///
/// The answer uses neither descent nor a starting point: along the only curve of candidates Σ π_ref w(K) falls to one
/// lowest value and rises after it; a minimum is where it passes 1 on the way that the sign of its slope demands.
std::optional<Vector> foil_fixed_point(const TabularPrompt& prompt, const Vector& mu);

/// The largest |μ (r - r̄_μ) - β π (log π/π_ref - KL)|, the equation of spec §5.
double foil_residual(const TabularPrompt& prompt, const Vector& logprobs, const Vector& mu);

}  // namespace agro
