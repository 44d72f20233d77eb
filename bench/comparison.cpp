#include "bench/comparison.h"

#include <fmt/format.h>

#include "bench/end_to_end/measure.h"
#include "report/format.h"

namespace agro {

Comparison::Comparison(const std::string& unit)
    : table_({{unit, Align::kLeft}, {"agro"}, {"min - max"}, {"LibTorch"}, {"min - max"}, {"ratio"}}) {}

void Comparison::add(const std::string& name, const std::vector<double>& ours, const std::vector<double>& reference) {
  const Spread a = spread_of(ours), b = spread_of(reference);
  const auto range = [](const Spread& s) {
    return fmt::format("{} - {}", compact_number(s.least), compact_number(s.most));
  };
  table_.add_row({name, compact_number(a.median), range(a), compact_number(b.median), range(b),
                  fmt::format("{:.2f}x", b.median / a.median)});
}

}  // namespace agro
