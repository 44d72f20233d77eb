#pragma once
// Two ways of the same work, mostly agro beside plain LibTorch: medians of interleaved rounds, their spread, and the
// ratio of the medians.
#include <functional>
#include <string>
#include <vector>

#include "report/table.h"

namespace agro {

class Comparison {
 public:
  /// `unit` heads the two columns of measurements, "tokens/s"; `higher_is_better` says which way the ratio is turned:
  /// it is above 1 where `ours` is faster than `reference`.
  Comparison(const std::string& unit, bool higher_is_better, const std::string& ours = "agro",
             const std::string& reference = "LibTorch");

  void add(const std::string& name, std::vector<double> ours, std::vector<double> reference);

  std::string text() const { return table_.text(); }

 private:
  bool higher_is_better_;
  Table table_;
};

/// Seconds of each round, the two taking turns in going first, after one unmeasured round.
struct Rounds {
  std::vector<double> ours, reference;
};
Rounds take_turns(int rounds, const std::function<void()>& ours, const std::function<void()>& reference);

}  // namespace agro
