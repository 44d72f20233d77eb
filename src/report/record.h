#pragma once
// One JSON object from a run's files, which somebody may have edited or cut.
#include <string_view>

#include "core/json.h"

namespace agro {

/// Throws Error where `text` is no JSON object, or nested deeper than 64 levels.
OrderedJson parse_record(std::string_view text);

}  // namespace agro
