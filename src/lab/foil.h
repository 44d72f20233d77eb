#pragma once
// Where the foil (A11) can come to rest for a fixed behaviour distribution, or that it cannot.
//
// With w = π/π_ref and q(a) = μ(a) (r(a) - r̄_μ) / (β π_ref(a)) its fixed points solve w (log w - K) = q, K =
// KL(π‖π_ref). For a given K each w(a) is a branch of Lambert's function, and Σ π_ref w = 1 decides K: docs/theory.md.
#include "lab/tabular.h"

namespace agro {

/// log π at every interior point that is a local minimum of the foil's loss; none: then the loss falls without end
/// towards the boundary. mu: [Y] probabilities that do not depend on the policy.
///
/// The answer uses neither descent nor a starting point. At a minimum at most one response is on its lower branch, any
/// one with q < 0: each such choice is a curve in K, and a minimum is where Σ π_ref w passes 1 along it in the
/// direction that the second derivative demands. On the curve of the smallest q the sum turns once; on the others
/// turning places are looked for on a grid.
std::vector<Vector> foil_minima(const TabularPrompt& prompt, const Vector& mu);

/// The largest |μ (r - r̄_μ) - β π (log π/π_ref - KL)|, the equation of spec §5.
double foil_residual(const TabularPrompt& prompt, const Vector& logprobs, const Vector& mu);

}  // namespace agro
