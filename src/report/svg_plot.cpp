#include "report/svg_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "core/error.h"
#include "report/format.h"

namespace agro {
namespace {

constexpr double kWidth = 720, kHeight = 420, kLeft = 84, kTop = 44, kBottom = 58, kRight = 24;
constexpr double kLetter = 6.6;  // a generous guess at the width of a letter of the legend
// Okabe and Ito's colours, told apart by colour-blind readers; later series repeat them with dashes.
constexpr std::array<std::string_view, 7> kColors = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                     "#e69f00", "#56b4e9", "#555555"};
constexpr std::array<std::string_view, 4> kDashes = {"", "7 4", "2 3", "9 3 2 3"};

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      // XML has no place for other control characters.
      default:
        safe += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  return safe;
}

/// Values to pixels along one direction.
class Scale {
 public:
  Scale(bool log, double from, double to) : log_(log), from_(from), to_(to) {}

  bool shows(double value) const { return std::isfinite(value) && (!log_ || value > 0); }
  void include(double value) {
    if (!shows(value)) return;
    low_ = std::min(low_, place(value));
    high_ = std::max(high_, place(value));
  }

  /// After the last include: a range that is not empty, widened by `share` of it on each side.
  void settle(double share) {
    if (low_ > high_) low_ = 0, high_ = 1;
    if (high_ - low_ < 1e-12 * std::max(1.0, std::abs(low_))) {
      const double half = std::max(0.5 * std::abs(low_), 0.5);
      low_ -= half, high_ += half;
    }
    const double margin = share * (high_ - low_);
    low_ -= margin, high_ += margin;
  }

  double pixel(double value) const { return from_ + (place(value) - low_) / (high_ - low_) * (to_ - from_); }

  std::vector<double> ticks() const { return log_ ? log_ticks() : linear_ticks(); }

 private:
  double place(double value) const { return log_ ? std::log10(value) : value; }

  /// Multiples of 1, 2 or 5 times a power of ten.
  std::vector<double> linear_ticks() const {
    const double raw = (high_ - low_) / 6, power = std::pow(10, std::floor(std::log10(raw))), lead = raw / power;
    const double step = power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
    std::vector<double> values;
    for (double k = std::ceil(low_ / step); k * step <= high_; ++k) values.push_back(k * step + 0.0);  // no −0
    return values;
  }

  /// Powers of ten, at most about eight; within two decades also 2 and 5 times them.
  std::vector<double> log_ticks() const {
    const double decades = std::max(1.0, std::ceil((high_ - low_) / 8));
    std::vector<double> values;
    for (double e = std::floor(low_ / decades) * decades; e <= high_; e += decades)
      for (const double lead : {1.0, 2.0, 5.0}) {
        const double value = lead * std::pow(10, e);
        if ((lead == 1 || high_ - low_ < 2) && place(value) >= low_ && place(value) <= high_) values.push_back(value);
      }
    return values;
  }

  bool log_;
  double from_, to_;
  double low_ = std::numeric_limits<double>::infinity(), high_ = -std::numeric_limits<double>::infinity();
};

struct Frame {
  Scale x, y;
  double right;
};

std::string text_at(double x, double y, std::string_view anchor, std::string_view text, std::string_view more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor, more,
                     escaped(text));
}

std::string axes(const SvgPlot& plot, const Frame& frame) {
  std::string svg = "<g fill=\"#333\" stroke=\"none\">\n";
  const double bottom = kHeight - kBottom, middle = (kTop + bottom) / 2;
  const auto grid = [&](double x1, double y1, double x2, double y2) {
    svg += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#ddd\" stroke-width=\"0.7\"/>\n", x1,
        y1, x2, y2);
  };
  for (const double value : frame.x.ticks()) {
    const double x = frame.x.pixel(value);
    grid(x, kTop, x, bottom);
    svg += text_at(x, bottom + 18, "middle", short_number(value));
  }
  for (const double value : frame.y.ticks()) {
    const double y = frame.y.pixel(value);
    grid(kLeft, y, frame.right, y);
    svg += text_at(kLeft - 8, y + 4, "end", short_number(value));
  }
  svg += fmt::format("<path d=\"M{0:.1f} {1:.1f}V{2:.1f}H{3:.1f}\" fill=\"none\" stroke=\"#555\"/>\n", kLeft, kTop,
                     bottom, frame.right);
  svg += text_at((kLeft + frame.right) / 2, kHeight - 16, "middle", plot.x_label);
  svg += text_at(18, middle, "middle", plot.y_label, fmt::format(" transform=\"rotate(-90 18 {:.1f})\"", middle));
  svg += text_at(kLeft, 24, "start", plot.title, " font-size=\"15\" font-weight=\"600\"");
  return svg + "</g>\n";
}

std::string point(const Frame& frame, double x, double y) {
  return fmt::format("{:.2f} {:.2f}", frame.x.pixel(x), frame.y.pixel(y));
}

/// The stretches of a series without a gap, as index ranges.
template <class Shown>
std::vector<std::pair<size_t, size_t>> stretches(size_t count, const Shown& shown) {
  std::vector<std::pair<size_t, size_t>> found;
  for (size_t i = 0; i < count; ++i) {
    if (!shown(i)) continue;
    const size_t begin = i;
    while (i < count && shown(i)) ++i;
    found.emplace_back(begin, i);
  }
  return found;
}

std::string band(const SvgSeries& s, const Frame& frame, std::string_view color) {
  std::string svg;
  const auto shown = [&](size_t i) {
    return frame.x.shows(s.x[i]) && frame.y.shows(s.low[i]) && frame.y.shows(s.high[i]);
  };
  for (const auto& [begin, end] : stretches(s.low.size(), shown)) {
    std::string outline;
    for (size_t i = begin; i < end; ++i) outline += (i == begin ? "M" : "L") + point(frame, s.x[i], s.high[i]);
    for (size_t i = end; i-- > begin;) outline += "L" + point(frame, s.x[i], s.low[i]);
    svg += fmt::format("<path d=\"{}Z\" fill=\"{}\" fill-opacity=\"0.18\"/>\n", outline, color);
  }
  return svg;
}

std::string stroke(std::string_view path, std::string_view color, std::string_view dash) {
  const std::string dashes = dash.empty() ? "" : fmt::format(" stroke-dasharray=\"{}\"", dash);
  return fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.8\" stroke-linejoin=\"round\"{}/>\n",
                     path, color, dashes);
}

std::string curve(const SvgSeries& s, const Frame& frame, std::string_view color, std::string_view dash) {
  std::string path, dots;
  const auto shown = [&](size_t i) { return frame.x.shows(s.x[i]) && frame.y.shows(s.y[i]); };
  for (const auto& [begin, end] : stretches(s.x.size(), shown))
    for (size_t i = begin; i < end; ++i) {
      path += (i == begin ? "M" : "L") + point(frame, s.x[i], s.y[i]);
      if (s.marks || end - begin == 1)
        dots += fmt::format("<circle cx=\"{:.2f}\" cy=\"{:.2f}\" r=\"2.6\" fill=\"{}\"/>\n", frame.x.pixel(s.x[i]),
                            frame.y.pixel(s.y[i]), color);
    }
  if (path.empty()) return "";
  return stroke(path, color, dash) + dots;
}

void check(const SvgSeries& s) {
  const bool band_fits = s.low.size() == s.high.size() && (s.low.empty() || s.low.size() == s.x.size());
  if (s.x.size() != s.y.size() || !band_fits)
    throw fail("plot: series '{}' has {} x, {} y, {} low and {} high values", s.name, s.x.size(), s.y.size(),
               s.low.size(), s.high.size());
}

}  // namespace

std::string svg_text(const SvgPlot& plot) {
  size_t letters = 0;
  for (const SvgSeries& s : plot.series) check(s), letters = std::max(letters, s.name.size());
  const bool legend = plot.series.size() > 1;
  const double legend_width = legend ? std::min(44 + kLetter * static_cast<double>(letters), kWidth / 3) : 0;
  const double right = kWidth - kRight - legend_width;
  Frame frame = {Scale(plot.log_x, kLeft, right), Scale(plot.log_y, kHeight - kBottom, kTop), right};
  for (const SvgSeries& s : plot.series) {
    for (const double x : s.x) frame.x.include(x);
    for (const auto* values : {&s.y, &s.low, &s.high})
      for (const double y : *values) frame.y.include(y);
  }
  frame.x.settle(0);
  frame.y.settle(0.05);

  std::string bands, curves, names;
  for (size_t i = 0; i < plot.series.size(); ++i) {
    const SvgSeries& s = plot.series[i];
    const size_t place = s.color == SvgSeries::kOwnPlace ? i : s.color;
    const auto color = kColors[place % kColors.size()], dash = kDashes[place / kColors.size() % kDashes.size()];
    bands += band(s, frame, color);
    curves += curve(s, frame, color, dash);
    if (!legend) continue;
    const double y = kTop + 10 + 20 * static_cast<double>(i), x = right + 14;
    names += stroke(fmt::format("M{:.1f} {:.1f}h22", x, y - 4), color, dash) + text_at(x + 28, y, "start", s.name);
  }
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
             "font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\">\n<title>{2}</title>\n"
             "<rect width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>\n",
             kWidth, kHeight, escaped(plot.title)) +
         axes(plot, frame) + bands + curves + names + "</svg>\n";
}

}  // namespace agro
