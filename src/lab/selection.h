#pragma once
// Where descent of the consistency loss comes to rest when the responses of a group are selected from a larger pool of
// draws.
#include <string_view>

#include "lab/random.h"
#include "lab/tabular.h"

namespace agro {

enum class Selection {
  kFirst,            // the first n of the pool: no selection
  kBestAndWorst,     // by reward, n/2 from either end
  kBest,             // by reward, the n largest
  kLargestResidual,  // by |R - mean R of the pool|
  kFixedCounts,      // n/2 from the reference, n/2 from another model, all of them kept
};

std::string_view name_of(Selection selection);

struct SelectionSetup {
  Selection selection = Selection::kFirst;
  double noise = 0;  // standard deviation of what is added to every reward drawn
  size_t group_size = 8, pool = 32;
  size_t groups = 4000;
};

/// log π of the policy at which the gradient of (A6), averaged over the drawn groups, vanishes. By logits the loss of
/// given groups is quadratic, so a linear solve finds it; residuals depend on the policy, so that for a selection by
/// them damped solves go on until the gradient vanishes for the groups selected there. Such a point is at rest without
/// being a minimum of one function. Responses never selected keep the reference's logit. Throws Error where it does not
/// come to rest.
Vector selected_rest_point(const TabularPrompt& prompt, const Vector& other_model, const SelectionSetup& setup,
                           Random random);

}  // namespace agro
