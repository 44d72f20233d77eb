#pragma once
// Where the consistency loss has its minimum when the responses of a group are selected from a larger pool of draws.
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
/// given groups is quadratic, so one linear solve finds it; residuals depend on the policy, so that selection by them
/// is repeated at each solution. Responses never selected keep the reference's logit.
Vector selected_minimizer(const TabularPrompt& prompt, const Vector& other_model, const SelectionSetup& setup,
                          Random random);

}  // namespace agro
