#include "objective/registry.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/words.h"
#include "objective/agro.h"
#include "objective/families.h"

namespace agro {
namespace {

using detail::RegistryEntry;

std::unique_ptr<Objective> agro_from(const ObjectiveConfig& config) {
  return make_agro({.beta = config.beta,
                    .loss_scale = config.loss_scale == "none" ? LossScale::kNone : LossScale::kOneOverBeta,
                    .form = config.form == "surrogate" ? AgroForm::kSurrogate : AgroForm::kVariance,
                    .through_sampling = config.through_sampling,
                    .credit = config.credit == "token" ? Credit::kToken : Credit::kSequence});
}

const std::vector<RegistryEntry>& entries() {
  static const std::vector<RegistryEntry> table = [] {
    std::vector<RegistryEntry> all = {{"agro", {"loss_scale", "form", "through_sampling", "credit"}, agro_from}};
    for (auto& family : {detail::on_policy_family(), detail::off_policy_family()})
      all.insert(all.end(), family.begin(), family.end());
    return all;
  }();
  return table;
}

/// Every key of the section as text.
class KeyTexts final : public ConfigVisitor {
 public:
  explicit KeyTexts(ObjectiveConfig config) { config.visit(*this); }
  const std::map<std::string, std::string>& texts() const { return texts_; }

 private:
  void field(std::string_view name, bool& value, std::string_view) override { add(name, value); }
  void field(std::string_view name, int64_t& value, Range, std::string_view) override { add(name, value); }
  void field(std::string_view name, double& value, Range, std::string_view) override { add(name, value); }
  void field(std::string_view name, std::string& value, const Choices&, std::string_view) override { add(name, value); }
  void field(std::string_view name, std::vector<std::string>& value, std::string_view) override {
    add(name, fmt::format("{}", fmt::join(value, ",")));
  }
  void field(std::string_view name, std::vector<int64_t>& value, std::string_view) override {
    add(name, fmt::format("{}", fmt::join(value, ",")));
  }
  bool enter(std::string_view, std::string_view) override { return true; }
  bool enter_item(std::string_view, size_t) override { return true; }
  ListChange list_change(std::string_view, size_t current, std::string_view) override { return {current, false}; }
  void leave() override {}

  template <class Value>
  void add(std::string_view name, const Value& value) {
    texts_.emplace(name, fmt::format("{}", value));
  }

  std::map<std::string, std::string> texts_;
};

std::vector<std::string> changed_keys(const ObjectiveConfig& config) {
  const KeyTexts defaults({}), configured(config);
  std::vector<std::string> keys;
  for (const auto& [key, text] : configured.texts())
    if (text != defaults.texts().at(key) && key != "name" && key != "beta") keys.push_back(key);
  return keys;
}

bool reads(const RegistryEntry& entry, std::string_view key) {
  return std::find(entry.keys.begin(), entry.keys.end(), key) != entry.keys.end();
}

}  // namespace

std::vector<std::string> objective_names() {
  std::vector<std::string> names;
  for (const RegistryEntry& entry : entries()) names.push_back(entry.name);
  return names;
}

std::unique_ptr<Objective> make_objective(const ObjectiveConfig& config) {
  const auto entry = std::find_if(entries().begin(), entries().end(),
                                  [&](const RegistryEntry& candidate) { return candidate.name == config.name; });
  if (entry == entries().end()) {
    const std::vector<std::string> names = objective_names();
    const std::string nearest = nearest_word(config.name, names);
    Error error = fail("unknown objective '{}'; known are {}", config.name, fmt::join(names, ", "));
    throw nearest.empty() ? error : error.hint(fmt::format("did you mean '{}'?", nearest));
  }
  for (const std::string& key : changed_keys(config)) {
    if (reads(*entry, key)) continue;
    std::vector<std::string> readers;
    for (const RegistryEntry& other : entries())
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

KlEstimator detail::kl_estimator_of(const ObjectiveConfig& config) {
  if (config.kl_estimator == "k1") return KlEstimator::kK1;
  if (config.kl_estimator == "k2") return KlEstimator::kK2;
  return config.kl_estimator == "k3" ? KlEstimator::kK3 : KlEstimator::kFullVocabulary;
}

}  // namespace agro
