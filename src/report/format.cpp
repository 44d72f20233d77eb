#include "report/format.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

namespace agro {

std::string short_number(double value) { return fmt::format("{:.4g}", value); }

std::string compact_number(double value) {
  const char* suffix = "";
  for (const char* next : {"k", "M", "G", "T"}) {
    // Below 999.5 three digits do not round up to the next unit.
    if (std::abs(value) < 999.5) break;
    value /= 1000;
    suffix = next;
  }
  return fmt::format("{:.3g}{}", value, suffix);
}

std::string duration_text(double seconds) {
  constexpr double kLongest = 1e9;
  if (!(seconds >= 0 && seconds < kLongest)) return "?";
  const auto s = static_cast<int64_t>(std::llround(seconds));
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  if (s < 86400) return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d{:02}h", s / 86400, s / 3600 % 24);
}

}  // namespace agro
