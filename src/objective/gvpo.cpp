#include "objective/gvpo.h"

#include <ATen/TensorOperators.h>

#include "objective/diagnostics.h"
#include "objective/group.h"
#include "objective/option_checks.h"

namespace agro {
namespace {

class Gvpo final : public Objective {
 public:
  explicit Gvpo(const GvpoOptions& options) : options_(options) { detail::require_positive(options.beta, "beta"); }

  std::string_view name() const override { return "gvpo"; }
  ObjectiveNeeds needs() const override { return {.behavior_response_logprobs = true}; }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor moved = behavior_log_ratio(input);
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("behavior_log_ratio_mean", groups.batch_mean(moved).item<double>());
    return {groups.variance(options_.beta * moved - input.rewards).mean() / 2, std::move(metrics)};
  }

  GvpoOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_gvpo(const GvpoOptions& options) { return std::make_unique<Gvpo>(options); }

}  // namespace agro
