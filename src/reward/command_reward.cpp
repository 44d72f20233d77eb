#include "reward/command_reward.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/log.h"
#include "reward/excerpt.h"

namespace agro {
namespace {

constexpr size_t kShownBytes = 200;

std::string query_line(int64_t id, const RewardQuery& query) {
  OrderedJson line = {
      {"id", id}, {"prompt", query.prompt}, {"completion", query.completion}, {"truncated", query.truncated}};
  if (query.answer) line["answer"] = *query.answer;
  if (query.record != nullptr) line["record"] = *query.record;
  return to_line(line) + '\n';
}

struct Reply {
  int64_t id;
  double reward;
};

Reply parse_reply(const std::string& line) {
  const Json reply = Json::parse(line, nullptr, false);
  if (reply.is_discarded())
    throw fail("expected a line of JSON (NaN and Infinity are none), found: {}", excerpt(line, kShownBytes))
        .hint("the program must write {\"id\": ..., \"reward\": ...} lines and nothing else to standard output");
  const auto member = [&](const char* key) {
    const auto found = reply.find(key);
    return found == reply.end() ? nullptr : &*found;
  };
  const Json *id = member("id"), *reward = member("reward");
  if (id == nullptr || !id->is_number_integer())
    throw fail("expected an integer \"id\" in: {}", excerpt(line, kShownBytes));
  if (reward == nullptr || !reward->is_number() || !std::isfinite(reward->get<double>()))
    throw fail("expected a finite number as \"reward\" in: {}", excerpt(line, kShownBytes));
  return {id->get<int64_t>(), reward->get<double>()};
}

}  // namespace

struct CommandReward::Batch {
  std::span<const RewardQuery> queries;
  int64_t first_id;
  std::vector<double> rewards;
  std::vector<bool> answered;
  size_t waiting;

  void accept(const Reply& reply) {
    if (reply.id < first_id || reply.id - first_id >= std::ssize(queries))
      throw fail("a reward for id {}, which is not waiting", reply.id);
    const auto i = static_cast<size_t>(reply.id - first_id);
    if (answered[i]) throw fail("a second reward for id {} ({})", reply.id, describe(queries[i]));
    rewards[i] = reply.reward;
    answered[i] = true;
    --waiting;
  }
};

CommandReward::CommandReward(std::string name, CommandOptions options)
    : name_(std::move(name)), options_(std::move(options)) {
  if (options_.argv.empty() || options_.argv[0].empty())
    throw fail("kind is \"command\" but no command is given")
        .at(fmt::format("reward '{}'", name_))
        .hint("set command = [\"PROGRAM\", \"ARGUMENT\", ...]");
}

std::vector<double> CommandReward::score(std::span<const RewardQuery> queries) {
  const size_t count = queries.size();
  Batch batch{queries, next_id_, std::vector<double>(count), std::vector<bool>(count), count};
  next_id_ += static_cast<int64_t>(count);
  try {
    for (int failures = 0; batch.waiting > 0;) {
      if (!child_ || !child_->running()) {
        child_.reset();
        child_ = std::make_unique<ChildProcess>(options_.argv);
      }
      send_unanswered(batch);
      const size_t waiting_before = batch.waiting;
      const std::string failure = collect(batch);
      if (failure.empty()) continue;
      failures = batch.waiting < waiting_before ? 1 : failures + 1;
      const auto first = std::find(batch.answered.begin(), batch.answered.end(), false) - batch.answered.begin();
      const std::string story = fmt::format("the program {} ({} of {} queries unanswered, the first for {})", failure,
                                            batch.waiting, count, describe(queries[static_cast<size_t>(first)]));
      if (failures > options_.restarts) throw fail("{}; giving up after {} restarts", story, failures - 1);
      log_warning("reward", "'{}': {}; restarting it", name_, story);
      child_.reset();
    }
  } catch (Error& error) {
    const std::string errors = child_ ? child_->last_errors() : std::string();
    child_.reset();
    error.at(fmt::format("reward '{}': command '{}'", name_, options_.argv[0]));
    if (!errors.empty()) error.hint("the program's last error output:\n" + errors);
    throw;
  }
  return std::move(batch.rewards);
}

void CommandReward::send_unanswered(const Batch& batch) {
  for (size_t i = 0; i < batch.queries.size(); ++i)
    if (!batch.answered[i]) child_->send(query_line(batch.first_id + static_cast<int64_t>(i), batch.queries[i]));
}

/// Reads rewards until none is waiting (returns "") or the program fails (says how).
std::string CommandReward::collect(Batch& batch) {
  const auto patience = std::chrono::duration_cast<ChildProcess::Clock::duration>(
      std::chrono::duration<double>(options_.timeout_seconds));
  auto deadline = ChildProcess::Clock::now() + patience;
  for (std::string line; batch.waiting > 0; deadline = ChildProcess::Clock::now() + patience) {
    switch (child_->receive(line, deadline)) {
      case ChildProcess::Received::kLine:
        batch.accept(parse_reply(line));
        break;
      case ChildProcess::Received::kEnd:
        return child_->how_it_ended();
      case ChildProcess::Received::kTimeout:
        return fmt::format("gave no reward for {} s", options_.timeout_seconds);
    }
  }
  return {};
}

}  // namespace agro
