#include "report/table.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "report/text_width.h"

namespace agro {
namespace {

void append_cell(std::string& line, const std::string& cell, size_t width, Align align) {
  const std::string padding(width - display_width(cell), ' ');
  line += align == Align::kRight ? padding + cell : cell + padding;
}

}  // namespace

void Table::add_row(std::vector<std::string> cells) {
  if (cells.size() != columns_.size())
    throw fail("a table row has {} cells, expected {}", cells.size(), columns_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<size_t> widths;
  std::vector<std::string> headers;
  std::vector<std::string> rules;
  for (size_t c = 0; c < columns_.size(); ++c) {
    size_t width = display_width(columns_[c].header);
    for (const auto& row : rows_) width = std::max(width, display_width(row[c]));
    std::string rule;
    for (size_t i = 0; i < width; ++i) rule += "─";
    widths.push_back(width);
    headers.push_back(columns_[c].header);
    rules.push_back(std::move(rule));
  }
  std::string text;
  const auto append_line = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t c = 0; c < cells.size(); ++c) {
      if (c > 0) line += "  ";
      append_cell(line, cells[c], widths[c], columns_[c].align);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  };
  append_line(headers);
  append_line(rules);
  for (const auto& row : rows_) append_line(row);
  return text;
}

}  // namespace agro
