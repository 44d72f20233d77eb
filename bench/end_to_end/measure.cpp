#include "bench/end_to_end/measure.h"

#include <algorithm>
#include <chrono>

#include "core/error.h"

namespace agro {
namespace {

double rate_of(const Work& work) {
  double done = 0;
  const double seconds = seconds_of([&] { done = work(); });
  return done / seconds;
}

}  // namespace

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

Rounds take_turns(int rounds, const Work& ours, const Work& reference) {
  ours();
  reference();
  Rounds result;
  for (int round = 0; round < rounds; ++round) {
    if (round % 2 == 0) result.ours.push_back(rate_of(ours));
    result.reference.push_back(rate_of(reference));
    if (round % 2 == 1) result.ours.push_back(rate_of(ours));
  }
  return result;
}

Spread spread_of(std::vector<double> values) {
  if (values.empty()) throw Error("no rounds were measured");
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
  return {median, values.front(), values.back()};
}

Spread speed_up(const Rounds& rounds) {
  std::vector<double> ratios;
  for (size_t i = 0; i < rounds.ours.size(); ++i) ratios.push_back(rounds.ours[i] / rounds.reference.at(i));
  Spread result = spread_of(std::move(ratios));
  result.median = spread_of(rounds.ours).median / spread_of(rounds.reference).median;
  return result;
}

}  // namespace agro
