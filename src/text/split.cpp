#include "text/split.h"

#include <algorithm>

namespace agro {
namespace {

struct Segment {
  TextRange range;
  bool is_delimiter = false;
};

std::vector<Segment> segments_of(std::string_view text, const Regex& pattern, bool invert) {
  std::vector<Segment> segments;
  size_t end = 0;
  for (const TextRange match : pattern.find_all(text)) {
    if (match.begin > end) segments.push_back({{end, match.begin}, invert});
    segments.push_back({match, !invert});
    end = match.end;
  }
  if (end < text.size()) segments.push_back({{end, text.size()}, invert});
  return segments;
}

/// Joins a segment to its predecessor where `joins(segment is delimiter, predecessor is delimiter)`.
template <class Joins>
std::vector<Segment> join(const std::vector<Segment>& segments, Joins joins) {
  std::vector<Segment> joined;
  bool previous = false;
  for (const Segment& segment : segments) {
    if (!joined.empty() && joins(segment.is_delimiter, previous)) {
      TextRange& range = joined.back().range;
      range = {std::min(range.begin, segment.range.begin), std::max(range.end, segment.range.end)};
    } else {
      joined.push_back({segment.range, false});
    }
    previous = segment.is_delimiter;
  }
  return joined;
}

}  // namespace

void Split::apply(std::string_view text, std::vector<std::string_view>& pieces) const {
  std::vector<Segment> segments = segments_of(text, pattern, invert);
  const auto delimiter_after_text = [](bool delimiter, bool previous) { return delimiter && !previous; };
  switch (behavior) {
    case SplitBehavior::kIsolated:
      segments = join(segments, [](bool, bool) { return false; });
      break;
    case SplitBehavior::kRemoved:
      break;
    case SplitBehavior::kMergedWithPrevious:
      segments = join(segments, delimiter_after_text);
      break;
    case SplitBehavior::kMergedWithNext:
      std::reverse(segments.begin(), segments.end());
      segments = join(segments, delimiter_after_text);
      std::reverse(segments.begin(), segments.end());
      break;
    case SplitBehavior::kContiguous:
      segments = join(segments, [](bool delimiter, bool previous) { return delimiter == previous; });
      break;
  }
  for (const auto& [range, is_delimiter] : segments)
    if (!is_delimiter && range.begin < range.end) pieces.push_back(text.substr(range.begin, range.end - range.begin));
}

}  // namespace agro
