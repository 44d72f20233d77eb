#pragma once
// From the name of an objective to the objective.
#include <memory>
#include <string>
#include <vector>

#include "objective/config.h"
#include "objective/objective.h"

namespace agro {

/// Every name make_objective() knows.
std::vector<std::string> objective_names();

/// The configured objective. Throws Error for an unknown name (lists the known ones and the nearest), for a key that
/// the named objective does not read but that was changed, and for a combination the objective refuses.
std::unique_ptr<Objective> make_objective(const ObjectiveConfig& config);

}  // namespace agro
