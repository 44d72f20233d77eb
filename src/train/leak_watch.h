#pragma once
// The drain of probability on stored responses, gathered between evaluations (spec §9).
#include "core/json.h"
#include "objective/diagnostics.h"

namespace agro {

/// Mean log π/π_ref of stored responses by source since the last take().
class LeakWatch {
 public:
  /// A step's statistics; those of fresh responses are left out.
  void add(const std::map<std::string, LeakStatistics>& step);

  /// The means so far, which start anew.
  std::map<std::string, LeakStatistics> take();

  /// To go on exactly after a resume.
  OrderedJson state() const;
  void restore(const Json& state);

 private:
  std::map<std::string, LeakStatistics> totals_;  // sums, not yet divided
};

/// "rewarded −3.10 nats, unrewarded −4.25 nats": the classes that occur.
std::string leak_text(const LeakStatistics& statistics);

}  // namespace agro
