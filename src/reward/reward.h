#pragma once
// The interface of everything that turns a response into a number.
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace agro {

/// One response to be rewarded; views into the caller's data.
struct RewardQuery {
  std::string_view prompt, completion;
  std::optional<std::string_view> answer = std::nullopt;
  const Json* record = nullptr;  // the whole prompt record; may be null
  bool truncated = false;        // cut at the length limit
};

/// Names a query in messages: the "id" of its record where it has one, else the beginning of its prompt.
std::string describe(const RewardQuery& query);

class Reward {
 public:
  virtual ~Reward() = default;

  /// The name its values are logged under.
  virtual std::string_view name() const = 0;

  /// One finite number per query, in order. Throws Error when a reward cannot be had: an answer is missing or
  /// unreadable (names the query), or a command misbehaves.
  virtual std::vector<double> score(std::span<const RewardQuery> queries) = 0;
};

}  // namespace agro
