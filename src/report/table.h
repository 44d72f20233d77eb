#pragma once
// A small aligned text table for the end of a screen.
#include <string>
#include <vector>

namespace agro {

enum class Align { kLeft, kRight };

struct Column {
  std::string header;
  Align align = Align::kRight;  // numbers; names are set left
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// Throws Error where the number of cells differs from the number of columns.
  void add_row(std::vector<std::string> cells);

  /// Header, a rule, one line per row; columns two spaces apart, no trailing spaces, every line ends with '\n'.
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace agro
