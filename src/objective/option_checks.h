#pragma once
// What several objectives ask of their options.
#include <string_view>

#include "core/error.h"

namespace agro::detail {

/// Throws Error unless value > 0.
inline void require_positive(double value, std::string_view name) {
  if (!(value > 0)) throw fail("{} must be above 0, found {}", name, value);
}

/// Throws Error unless value ≥ 0.
inline void require_nonnegative(double value, std::string_view name) {
  if (!(value >= 0)) throw fail("{} must be at least 0, found {}", name, value);
}

}  // namespace agro::detail
