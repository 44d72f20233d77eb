#include "objective/opmd.h"

#include <ATen/TensorOperators.h>

#include "objective/diagnostics.h"
#include "objective/group.h"
#include "objective/option_checks.h"

namespace agro {
namespace {

class Opmd final : public Objective {
 public:
  explicit Opmd(const OpmdOptions& options) : options_(options) { detail::require_positive(options.beta, "beta"); }

  std::string_view name() const override { return "opmd"; }
  ObjectiveNeeds needs() const override { return {.behavior_response_logprobs = true}; }

 private:
  at::Tensor baseline(const ObjectiveInput& input, const Groups& groups) const {
    if (options_.partition == Partition::kMean) return groups.mean(input.rewards);
    const at::Tensor largest = segment_max(input.rewards, input.group, groups.count());
    const at::Tensor scaled = (input.rewards - groups.spread(largest)) / options_.beta;
    return largest + options_.beta * groups.mean(scaled.exp()).log();
  }

  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor moved = behavior_log_ratio(input);
    const at::Tensor advantage = input.rewards - groups.spread(baseline(input, groups));
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("behavior_log_ratio_mean", groups.batch_mean(moved).item<double>());
    const at::Tensor residual = advantage - options_.beta * moved;
    return {groups.batch_mean(residual.square()) / (2 * options_.beta), std::move(metrics)};
  }

  OpmdOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_opmd(const OpmdOptions& options) { return std::make_unique<Opmd>(options); }

}  // namespace agro
