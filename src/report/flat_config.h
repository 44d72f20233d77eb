#pragma once
// A run's config.toml as one list of keys, for tables and comparisons.
#include <string>

#include "core/json.h"

namespace agro {

/// {"objective.beta": 0.1, "data.completions": ["a.jsonl"], "rewards.reward.0.kind": "exact", …} in the order of the
/// file; dates and times are text. Throws Error, naming `name`, where the text is not TOML or is nested deeper than 16
/// tables.
OrderedJson flat_config(const std::string& toml_text, const std::string& name);

}  // namespace agro
