#include "objective/astar_po.h"

#include <ATen/TensorOperators.h>

#include "objective/diagnostics.h"
#include "objective/group.h"
#include "objective/option_checks.h"

namespace agro {
namespace {

class AstarPo final : public Objective {
 public:
  explicit AstarPo(const AstarPoOptions& options) : options_(options) {
    detail::require_positive(options.beta, "beta");
  }

  std::string_view name() const override { return "astar_po"; }
  ObjectiveNeeds needs() const override { return {.optimal_values = true, .group_size = 1}; }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor advantage = input.rewards - groups.spread(input.optimal_values);
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("optimal_advantage_mean", groups.batch_mean(advantage).item<double>());
    return {groups.batch_mean((options_.beta * log_ratio(input) - advantage).square()), std::move(metrics)};
  }

  AstarPoOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_astar_po(const AstarPoOptions& options) { return std::make_unique<AstarPo>(options); }

}  // namespace agro
