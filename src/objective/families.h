#pragma once
// The registry's table, family by family; for registry.cpp alone.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "objective/config.h"
#include "objective/kl.h"
#include "objective/objective.h"

namespace agro::detail {

struct RegistryEntry {
  std::string name;
  std::vector<std::string_view> keys;  // of ObjectiveConfig that it reads, beyond name and beta
  std::unique_ptr<Objective> (*make)(const ObjectiveConfig&);
};

std::vector<RegistryEntry> on_policy_family();
std::vector<RegistryEntry> off_policy_family();

KlEstimator kl_estimator_of(const ObjectiveConfig& config);

}  // namespace agro::detail
