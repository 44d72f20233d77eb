#include "report/step_table.h"

#include <algorithm>

#include "core/error.h"

namespace agro {

const StepTable::ColumnData* StepTable::find(std::string_view name) const {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const auto& column) { return column.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

std::optional<double> StepTable::last(std::string_view name) const {
  const ColumnData* column = find(name);
  if (column == nullptr) return std::nullopt;
  const auto& values = column->values;
  const auto found = std::find_if(values.rbegin(), values.rend(), [](const auto& value) { return value.has_value(); });
  return found == values.rend() ? std::nullopt : *found;
}

double StepTable::sum(std::string_view name) const {
  double total = 0;
  if (const ColumnData* column = find(name))
    for (const auto& value : column->values) total += value.value_or(0);
  return total;
}

void StepTable::append(int64_t step, const OrderedJson& figures) {
  constexpr size_t kMaxColumns = 1000;
  const size_t row = steps.size();
  size_t next = 0;  // records of one file hold their figures in the same order, so the next column mostly fits
  for (const auto& [name, value] : figures.items()) {
    if (name == "step" || !value.is_number()) continue;
    if (next >= columns.size() || columns[next].name != name) {
      const ColumnData* column = find(name);
      if (column == nullptr) {
        if (columns.size() == kMaxColumns) throw fail("more than {} different figures", kMaxColumns);
        columns.push_back({name, std::vector<std::optional<double>>(row)});
        column = &columns.back();
      }
      next = static_cast<size_t>(column - columns.data());
    }
    columns[next].values.resize(row);
    columns[next].values.emplace_back(value.get<double>());
    ++next;
  }
  steps.push_back(step);
  for (ColumnData& column : columns) column.values.resize(row + 1);
}

OrderedJson StepTable::record(size_t row) const {
  OrderedJson record;
  record["step"] = steps.at(row);
  for (const ColumnData& column : columns)
    if (column.values[row]) record[column.name] = *column.values[row];
  return record;
}

}  // namespace agro
