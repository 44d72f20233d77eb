#pragma once
// Figures by step, in columns: what metrics.jsonl and timings.jsonl hold.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace agro {

/// Records {"step": N, name: number, …} turned into columns. A missing or null value is empty.
struct StepTable {
  std::vector<int64_t> steps;  // in file order
  struct ColumnData {
    std::string name;
    std::vector<std::optional<double>> values;  // one per step
  };
  std::vector<ColumnData> columns;  // in order of first appearance

  bool empty() const { return steps.empty(); }
  const ColumnData* find(std::string_view name) const;
  /// The last value that is not empty.
  std::optional<double> last(std::string_view name) const;
  double sum(std::string_view name) const;

  /// Adds a row. Only numbers of `figures` become values; its "step" is left out. Throws Error beyond 1000 columns.
  void append(int64_t step, const OrderedJson& figures);
  /// The row as a record, without empty values.
  OrderedJson record(size_t row) const;
};

}  // namespace agro
