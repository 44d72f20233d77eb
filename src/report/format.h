#pragma once
// Numbers as people read them on a screen.
#include <string>

namespace agro {

/// Four significant digits without noise: 0.5123, 12.5, 1.2e-05; "nan", "inf".
std::string short_number(double value);

/// With a suffix from thousands on, three digits: 950, 1.23k, 45.6k, 7.89M, 1.2G.
std::string compact_number(double value);

/// 42s, 3m07s, 2h05m, 3d04h; "?" where the time is negative or not finite.
std::string duration_text(double seconds);

}  // namespace agro
