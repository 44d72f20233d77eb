#include "bench/end_to_end/report.h"

#include <fmt/format.h>

#include <cmath>

#include "report/format.h"
#include "report/table.h"

namespace agro {
namespace {

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

/// "≥ 1.82×, ≥ 50 % yes"
std::string aim_text(const std::vector<std::string>& parts, const std::optional<bool>& is_reached) {
  if (!is_reached) return "";
  return fmt::format("{}: {}", fmt::join(parts, ", "), *is_reached ? "yes" : "no");
}

std::string aim_text(const Line& line) {
  std::vector<std::string> parts;
  if (line.aim.ratio) parts.push_back(fmt::format("≥ {:.3g}×", *line.aim.ratio));
  if (line.aim.share) parts.push_back(fmt::format("≥ {:.0f} %", 100 * *line.aim.share));
  return aim_text(parts, reached(line));
}

std::string name_of(const Line& line) {
  return line.ours == "agro" ? line.name : fmt::format("{}: {} beside {}", line.name, line.ours, line.reference);
}

/// Cells below headers, in either layout.
class Grid {
 public:
  explicit Grid(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  std::string text(Layout layout) const {
    if (rows_.empty()) return "";
    if (layout == Layout::kScreen) {
      Table table(columns_);
      for (const auto& row : rows_) table.add_row(row);
      return table.text() + '\n';
    }
    std::vector<std::string> headers, rules;
    for (const Column& column : columns_) {
      headers.push_back(column.header);
      rules.emplace_back(column.align == Align::kLeft ? "---" : "---:");
    }
    std::string text = markdown_row(headers) + markdown_row(rules);
    for (const auto& row : rows_) text += markdown_row(row);
    return text + '\n';
  }

 private:
  static std::string markdown_row(const std::vector<std::string>& cells) {
    return fmt::format("| {} |\n", fmt::join(cells, " | "));
  }

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

std::string lines_text(const std::vector<Line>& lines, Layout layout) {
  Grid grid({{"", Align::kLeft},
             {"", Align::kLeft},
             {"agro"},
             {"reference"},
             {"ratio"},
             {"min – max"},
             {"of the limit", Align::kLeft},
             {"aim", Align::kLeft}});
  for (const Line& line : lines) {
    const Spread ratio = speed_up(line.rounds);
    grid.add({name_of(line), line.unit + "/s", compact_number(spread_of(line.rounds.ours).median),
              compact_number(spread_of(line.rounds.reference).median), fmt::format("{:.2f}×", ratio.median),
              fmt::format("{:.2f} – {:.2f}", ratio.least, ratio.most),
              line.limit ? fmt::format("{} of {}", percent(share_of_limit(line)), line.limit->name) : "–",
              aim_text(line)});
  }
  return grid.text(layout);
}

std::string figures_text(const std::vector<Figure>& figures, Layout layout) {
  Grid grid({{"", Align::kLeft}, {"", Align::kLeft}, {"agro"}, {"share", Align::kLeft}, {"aim", Align::kLeft}});
  for (const Figure& f : figures)
    grid.add({f.name, f.unit, compact_number(f.value),
              fmt::format("{} of {} ({})", percent(f.value / f.whole), f.whole_name, compact_number(f.whole)),
              f.most ? aim_text({fmt::format("< {:.0f} %", 100 * *f.most)}, reached(f)) : ""});
  return grid.text(layout);
}

std::string growth_text(const Growth& growth, Layout layout) {
  Grid grid({{growth.name}, {"milliseconds"}, {"GFLOP"}, {"slope"}, {"theory"}});
  for (size_t i = 0; i < growth.sizes.size(); ++i) {
    const Growth::Size& size = growth.sizes[i];
    const auto slope = [&](double Slope::*which) {
      return i == 0 ? std::string() : fmt::format("{:.2f}", slope_at(growth, i).*which);
    };
    grid.add({std::to_string(size.size), short_number(1e3 * size.seconds), short_number(size.operations / 1e9),
              slope(&Slope::measured), slope(&Slope::theory)});
  }
  return grid.text(layout);
}

OrderedJson to_json(const Spread& spread) {
  return {{"median", spread.median}, {"least", spread.least}, {"most", spread.most}};
}

template <class T>
OrderedJson or_null(const std::optional<T>& value) {
  return value ? OrderedJson(*value) : OrderedJson();
}

}  // namespace

std::optional<bool> reached(const Line& line) {
  if (!line.aim.ratio && !(line.aim.share && line.limit)) return std::nullopt;
  const bool ratio = !line.aim.ratio || speed_up(line.rounds).median >= *line.aim.ratio;
  return ratio && (!line.aim.share || !line.limit || share_of_limit(line) >= *line.aim.share);
}

std::optional<bool> reached(const Figure& figure) {
  if (!figure.most) return std::nullopt;
  return figure.value < *figure.most * figure.whole;
}

Slope slope_at(const Growth& growth, size_t index) {
  const Growth::Size &now = growth.sizes.at(index), &before = growth.sizes.at(index - 1);
  const double sizes = std::log(static_cast<double>(now.size) / static_cast<double>(before.size));
  return {std::log(now.seconds / before.seconds) / sizes, std::log(now.operations / before.operations) / sizes};
}

std::string result_text(const Bench& bench, const BenchResult& result, Layout layout) {
  const bool markdown = layout == Layout::kMarkdown;
  std::string text = fmt::format("{}{}: {}\n\n", markdown ? "### " : "", bench.name, bench.what);
  text += lines_text(result.lines, layout) + figures_text(result.figures, layout);
  for (const Growth& growth : result.growths) text += growth_text(growth, layout);
  for (const std::string& note : result.notes) text += note + (markdown ? "\n\n" : "\n");
  return markdown ? text : text + '\n';
}

std::vector<OrderedJson> result_json(const Bench& bench, const BenchResult& result) {
  std::vector<OrderedJson> records;
  const auto add = [&](const char* kind, const std::string& name) -> OrderedJson& {
    records.push_back({{"bench", bench.name}, {"kind", kind}, {"name", name}});
    return records.back();
  };
  for (const Line& line : result.lines) {
    OrderedJson& json = add("line", line.name);
    json["unit"] = line.unit + "/s";
    json["ours"] = {{"name", line.ours}, {"rate", to_json(spread_of(line.rounds.ours))}};
    json["reference"] = {{"name", line.reference}, {"rate", to_json(spread_of(line.rounds.reference))}};
    json["ratio"] = to_json(speed_up(line.rounds));
    json["rounds"] = line.rounds.ours.size();
    json["limit"] =
        line.limit
            ? OrderedJson{{"name", line.limit->name}, {"rate", line.limit->rate}, {"share", share_of_limit(line)}}
            : OrderedJson();
    json["aim"] = {{"ratio", or_null(line.aim.ratio)}, {"share", or_null(line.aim.share)}};
    json["reached"] = or_null(reached(line));
  }
  for (const Figure& f : result.figures) {
    OrderedJson& json = add("figure", f.name);
    json["unit"] = f.unit;
    json["value"] = f.value;
    json["whole"] = {{"name", f.whole_name}, {"value", f.whole}, {"share", f.value / f.whole}};
    json["aim"] = {{"share_below", or_null(f.most)}};
    json["reached"] = or_null(reached(f));
  }
  for (const Growth& growth : result.growths) {
    OrderedJson& json = add("growth", growth.name);
    json["sizes"] = OrderedJson::array();
    for (size_t i = 0; i < growth.sizes.size(); ++i) {
      const Growth::Size& size = growth.sizes[i];
      json["sizes"].push_back({{"size", size.size}, {"seconds", size.seconds}, {"operations", size.operations}});
      if (i == 0) continue;
      json["sizes"].back()["slope"] = slope_at(growth, i).measured;
      json["sizes"].back()["theory"] = slope_at(growth, i).theory;
    }
  }
  for (const std::string& note : result.notes) add("note", note);
  return records;
}

std::string machine_text(const MachineFacts& facts, const MachineRates& rates, const std::string& blas, Layout layout) {
  std::vector<std::pair<std::string, std::string>> lines = {
      {"CPU", fmt::format("{}, {} threads, {}", facts.system.cpu_model, facts.threads,
                          facts.pinned ? "each on a CPU of its own" : "not pinned")},
      {"kernels", fmt::format("agro {}, LibTorch {}", facts.kernel_target, facts.aten_capability)},
      {"reference BLAS", blas},
      {"float32 peak", fmt::format("{:.0f} GFLOP/s", rates.float32_gflops)},
      {"bfloat16 peak", rates.bfloat16_gflops
                            ? fmt::format("{:.0f} GFLOP/s ({})", *rates.bfloat16_gflops, rates.bfloat16_note)
                            : rates.bfloat16_note},
      {"memory bandwidth", fmt::format("{:.1f} GB/s", rates.read_bytes_per_second / 1e9)}};
  for (const MachineWarning& warning : warnings_of(facts)) lines.emplace_back("warning", warning.what);
  std::string text;
  for (const auto& [name, value] : lines)
    text +=
        layout == Layout::kMarkdown ? fmt::format("* {}: {}\n", name, value) : fmt::format("{:<18}{}\n", name, value);
  return text +
         "\nMedians of interleaved rounds, with the least and the most ratio of a single round; a ratio above 1 "
         "means that agro is faster.\n\n";
}

}  // namespace agro
