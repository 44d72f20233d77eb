#include "train/leak_watch.h"

#include <fmt/ranges.h>

namespace agro {

void LeakWatch::add(const std::map<std::string, LeakStatistics>& step) {
  for (const auto& [source, s] : step) {
    if (source == "fresh") continue;
    LeakStatistics& total = totals_[source];
    total.rewarded += s.rewarded * static_cast<double>(s.rewarded_count);
    total.unrewarded += s.unrewarded * static_cast<double>(s.unrewarded_count);
    total.rewarded_count += s.rewarded_count;
    total.unrewarded_count += s.unrewarded_count;
  }
}

std::map<std::string, LeakStatistics> LeakWatch::take() {
  auto means = std::exchange(totals_, {});
  for (auto& [source, s] : means) {
    s.rewarded /= static_cast<double>(std::max<int64_t>(1, s.rewarded_count));
    s.unrewarded /= static_cast<double>(std::max<int64_t>(1, s.unrewarded_count));
  }
  return means;
}

OrderedJson LeakWatch::state() const {
  OrderedJson json = OrderedJson::object();
  for (const auto& [source, s] : totals_)
    json[source] = {s.rewarded, s.unrewarded, s.rewarded_count, s.unrewarded_count};
  return json;
}

void LeakWatch::restore(const Json& state) {
  totals_.clear();
  for (const auto& [source, s] : state.items())
    totals_[source] = {s.at(0).get<double>(), s.at(1).get<double>(), s.at(2).get<int64_t>(), s.at(3).get<int64_t>()};
}

std::string leak_text(const LeakStatistics& s) {
  std::vector<std::string> parts;
  if (s.rewarded_count > 0) parts.push_back(fmt::format("rewarded {:.2f} nats", s.rewarded));
  if (s.unrewarded_count > 0) parts.push_back(fmt::format("unrewarded {:.2f} nats", s.unrewarded));
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace agro
