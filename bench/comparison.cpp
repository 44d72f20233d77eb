#include "bench/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "report/format.h"

namespace agro {
namespace {

double median(std::vector<double>& sorted) {
  std::sort(sorted.begin(), sorted.end());
  const size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : 0.5 * (sorted[middle - 1] + sorted[middle]);
}

double seconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

Comparison::Comparison(const std::string& unit, bool higher_is_better, const std::string& ours,
                       const std::string& reference)
    : higher_is_better_(higher_is_better),
      table_({{unit, Align::kLeft}, {ours}, {"min - max"}, {reference}, {"min - max"}, {"ratio"}}) {}

void Comparison::add(const std::string& name, std::vector<double> ours, std::vector<double> reference) {
  const double a = median(ours), b = median(reference);
  const auto spread = [](const std::vector<double>& sorted) {
    return fmt::format("{} - {}", compact_number(sorted.front()), compact_number(sorted.back()));
  };
  table_.add_row({name, compact_number(a), spread(ours), compact_number(b), spread(reference),
                  fmt::format("{:.2f}x", higher_is_better_ ? a / b : b / a)});
}

Rounds take_turns(int rounds, const std::function<void()>& ours, const std::function<void()>& reference) {
  ours();
  reference();
  Rounds result;
  for (int round = 0; round < rounds; ++round) {
    if (round % 2 == 0) result.ours.push_back(seconds(ours));
    result.reference.push_back(seconds(reference));
    if (round % 2 == 1) result.ours.push_back(seconds(ours));
  }
  return result;
}

}  // namespace agro
