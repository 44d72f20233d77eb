#include "objective/registry.h"

#include <algorithm>

#include "core/error.h"
#include "core/words.h"
#include "objective/agro.h"
#include "objective/kl_policy_gradient.h"
#include "objective/rloo.h"

namespace agro {
namespace {

std::unique_ptr<Objective> agro_from(const ObjectiveConfig& config) {
  return make_agro({.beta = config.beta,
                    .loss_scale = config.loss_scale == "none" ? LossScale::kNone : LossScale::kOneOverBeta,
                    .form = config.form == "surrogate" ? AgroForm::kSurrogate : AgroForm::kVariance,
                    .through_sampling = config.through_sampling,
                    .credit = config.credit == "token" ? Credit::kToken : Credit::kSequence});
}

std::unique_ptr<Objective> rloo_from(const ObjectiveConfig& config) {
  return make_rloo({.beta = config.beta, .clip_epsilon = config.clip_epsilon});
}

std::unique_ptr<Objective> kl_policy_gradient_from(const ObjectiveConfig& config) {
  return make_kl_policy_gradient(
      {.beta = config.beta,
       .kl_estimator = config.kl_estimator == "full_vocabulary" ? KlEstimator::kFullVocabulary : KlEstimator::kK3});
}

struct Entry {
  std::string name;
  std::vector<std::string_view> keys;  // of the config, beyond name and beta
  std::unique_ptr<Objective> (*make)(const ObjectiveConfig&);
};

const std::vector<Entry>& entries() {
  static const std::vector<Entry> table = {
      {"agro", {"loss_scale", "form", "through_sampling", "credit"}, agro_from},
      {"rloo", {"clip_epsilon"}, rloo_from},
      {"kl_policy_gradient", {"kl_estimator"}, kl_policy_gradient_from},
  };
  return table;
}

std::vector<std::string_view> changed_keys(const ObjectiveConfig& config) {
  const ObjectiveConfig defaults;
  std::vector<std::string_view> keys;
  const auto add = [&](std::string_view key, bool changed) {
    if (changed) keys.push_back(key);
  };
  add("loss_scale", config.loss_scale != defaults.loss_scale);
  add("form", config.form != defaults.form);
  add("through_sampling", config.through_sampling != defaults.through_sampling);
  add("credit", config.credit != defaults.credit);
  add("kl_estimator", config.kl_estimator != defaults.kl_estimator);
  add("clip_epsilon", config.clip_epsilon != defaults.clip_epsilon);
  return keys;
}

bool reads(const Entry& entry, std::string_view key) {
  return std::find(entry.keys.begin(), entry.keys.end(), key) != entry.keys.end();
}

}  // namespace

std::vector<std::string> objective_names() {
  std::vector<std::string> names;
  for (const Entry& entry : entries()) names.push_back(entry.name);
  return names;
}

std::unique_ptr<Objective> make_objective(const ObjectiveConfig& config) {
  const auto entry = std::find_if(entries().begin(), entries().end(),
                                  [&](const Entry& candidate) { return candidate.name == config.name; });
  if (entry == entries().end()) {
    const std::vector<std::string> names = objective_names();
    const std::string nearest = nearest_word(config.name, names);
    Error error = fail("unknown objective '{}'; known are {}", config.name, fmt::join(names, ", "));
    throw nearest.empty() ? error : error.hint(fmt::format("did you mean '{}'?", nearest));
  }
  for (const std::string_view key : changed_keys(config)) {
    if (reads(*entry, key)) continue;
    std::vector<std::string> readers;
    for (const Entry& other : entries())
      if (reads(other, key)) readers.push_back(other.name);
    throw fail("objective '{}' does not read objective.{}, which is for {}", config.name, key,
               fmt::join(readers, ", "));
  }
  try {
    return entry->make(config);
  } catch (Error& error) {
    throw std::move(error).at(fmt::format("objective '{}'", config.name));
  }
}

}  // namespace agro
