#pragma once
// Two ways of the same work, timed in turns, and what is said about the times: medians, spread, ratios.
#include <cstdint>
#include <functional>
#include <vector>

namespace agro {

/// Does some work and returns how much: tokens, steps. What does not count towards the time happens elsewhere.
using Work = std::function<double()>;

/// Units of work per second in each round; the rounds of the two stand beside each other in time.
struct Rounds {
  std::vector<double> ours, reference;
};

/// The two take turns in going first, after one unmeasured round each.
Rounds take_turns(int rounds, const Work& ours, const Work& reference);

/// Seconds of one call.
double seconds_of(const std::function<void()>& work);

struct Spread {
  double median = 0, least = 0, most = 0;
};

/// Throws Error where there is nothing to take the median of.
Spread spread_of(std::vector<double> values);

/// How many times as fast as the reference: the ratio of the medians, with the least and the most of the ratios of
/// single rounds.
Spread speed_up(const Rounds& rounds);

}  // namespace agro
