#pragma once
// Results as people and programs read them: a table on the screen, the same in Markdown, JSON lines.
#include <string>
#include <vector>

#include "bench/end_to_end/bench.h"
#include "core/json.h"
#include "tensor/machine_report.h"

namespace agro {

enum class Layout { kScreen, kMarkdown };

/// Whether every aim of the line or figure is reached; none where it has no aim.
std::optional<bool> reached(const Line& line);
std::optional<bool> reached(const Figure& figure);

/// Slopes in a log-log plot between a size and the one before: of the time, and of the operations. Index from 1.
struct Slope {
  double measured = 0, theory = 0;
};
Slope slope_at(const Growth& growth, size_t index);

/// Heading, tables and notes of one bench.
std::string result_text(const Bench& bench, const BenchResult& result, Layout layout);

/// One object for each line, figure and growth, and one for the notes.
std::vector<OrderedJson> result_json(const Bench& bench, const BenchResult& result);

/// The machine, its limits and what BLAS the reference has.
std::string machine_text(const MachineFacts& facts, const MachineRates& rates, const std::string& blas, Layout layout);

}  // namespace agro
