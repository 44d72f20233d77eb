#pragma once
// Two ways of the same operator: medians, their spread, and the ratio of the medians.
#include <string>
#include <vector>

#include "report/table.h"

namespace agro {

/// The ratio is above 1 where agro takes less time than LibTorch.
class Comparison {
 public:
  /// `unit` heads the column of names: "microseconds".
  explicit Comparison(const std::string& unit);

  void add(const std::string& name, const std::vector<double>& ours, const std::vector<double>& reference);

  std::string text() const { return table_.text(); }

 private:
  Table table_;
};

}  // namespace agro
