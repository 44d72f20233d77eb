#include "objective/kto.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include "objective/diagnostics.h"
#include "objective/group.h"
#include "objective/option_checks.h"

namespace agro {
namespace {

class Kto final : public Objective {
 public:
  explicit Kto(const KtoOptions& options) : options_(options) {
    detail::require_positive(options.beta, "beta");
    detail::require_nonnegative(options.desirable_weight, "desirable_weight");
    detail::require_nonnegative(options.undesirable_weight, "undesirable_weight");
  }

  std::string_view name() const override { return "kto"; }
  ObjectiveNeeds needs() const override { return {.group_size = 1}; }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor ratio = log_ratio(input);
    const at::Tensor reference_point = options_.reference_point == ReferencePoint::kBatch
                                           ? groups.batch_mean(ratio.detach()).clamp_min(0)
                                           : at::zeros({}, ratio.options());
    const at::Tensor desirable = input.rewards.gt(options_.reward_threshold);
    const at::Tensor gain = options_.beta * (ratio - reference_point);
    const at::Tensor loss = at::where(desirable, options_.desirable_weight * (-gain).sigmoid(),
                                      options_.undesirable_weight * gain.sigmoid());
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("desirable_fraction", desirable.to(at::kDouble).mean().item<double>());
    metrics.emplace_back("reference_point", reference_point.item<double>());
    return {groups.batch_mean(loss), std::move(metrics)};
  }

  KtoOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_kto(const KtoOptions& options) { return std::make_unique<Kto>(options); }

}  // namespace agro
