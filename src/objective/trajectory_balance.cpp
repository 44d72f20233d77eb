#include "objective/trajectory_balance.h"

#include <ATen/TensorOperators.h>

#include "objective/diagnostics.h"
#include "objective/group.h"
#include "objective/option_checks.h"

namespace agro {
namespace {

class TrajectoryBalance final : public Objective {
 public:
  explicit TrajectoryBalance(const TrajectoryBalanceOptions& options) : options_(options) {
    detail::require_positive(options.beta, "beta");
  }

  std::string_view name() const override { return "trajectory_balance"; }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor flow = log_ratio(input) - input.rewards / options_.beta;
    const at::Tensor log_partition = -groups.mean(flow.detach());
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("log_partition", log_partition.mean().item<double>());
    return {groups.batch_mean((groups.spread(log_partition) + flow).square()), std::move(metrics)};
  }

  TrajectoryBalanceOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_trajectory_balance(const TrajectoryBalanceOptions& options) {
  return std::make_unique<TrajectoryBalance>(options);
}

}  // namespace agro
