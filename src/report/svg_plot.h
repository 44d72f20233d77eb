#pragma once
// Line charts as SVG text, for papers: axes with ticks, a grid, bands, a legend.
#include <cstdint>
#include <string>
#include <vector>

namespace agro {

struct SvgSeries {
  std::string name;
  std::vector<double> x, y;                      // equally long; a point that is not finite interrupts the line
  std::vector<double> low, high;                 // the band around y, or empty
  bool marks = false;                            // a dot on each point
  size_t color = kOwnPlace;                      // place in the palette
  static constexpr size_t kOwnPlace = SIZE_MAX;  // the series' place in the plot
};

struct SvgPlot {
  std::string title, x_label, y_label;
  std::vector<SvgSeries> series;
  bool log_x = false, log_y = false;  // points that are not above 0 are left out there
};

/// A complete SVG document, 720 × 420 units; texts are escaped, equal plots give equal text. Throws Error where the
/// vectors of a series differ in length.
std::string svg_text(const SvgPlot& plot);

}  // namespace agro
