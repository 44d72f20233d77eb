#pragma once
// Rewards from a program of the user's: it runs as long as this object, reads queries and writes rewards as JSON lines.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "reward/child_process.h"
#include "reward/reward.h"

namespace agro {

struct CommandOptions {
  std::vector<std::string> argv;
  double timeout_seconds = 60;
  int restarts = 2;
};

/// To the program:   {"id": 7, "prompt": "…", "completion": "…", "answer": "…", "truncated": false, "record": {…}}
/// From the program: {"id": 7, "reward": 0.5}
/// one per line; "answer" and "record" only where there are any. It gets all queries of a batch at once and may answer
/// in any order; it must flush its output after each answer or batch.
///
/// A program that exits, or gives no reward for timeout_seconds, is killed with its process group and started anew with
/// the unanswered queries; after `restarts` such restarts without one reward in between, score() throws. One that
/// writes anything else (no JSON, an id that is not waiting, no finite reward) is not tried again: score() throws
/// Error with the line and the program's last error output.
class CommandReward final : public Reward {
 public:
  /// The program starts with the first query. Throws Error if options.argv is empty.
  CommandReward(std::string name, CommandOptions options);
  std::string_view name() const override { return name_; }
  std::vector<double> score(std::span<const RewardQuery> queries) override;

 private:
  struct Batch;
  void send_unanswered(const Batch& batch);
  std::string collect(Batch& batch);

  std::string name_;
  CommandOptions options_;
  std::unique_ptr<ChildProcess> child_;
  int64_t next_id_ = 0;
};

}  // namespace agro
