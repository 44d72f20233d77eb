#include "objective/copg.h"

#include <ATen/TensorOperators.h>

#include <cmath>

#include "objective/agro.h"
#include "objective/diagnostics.h"
#include "objective/group.h"
#include "objective/option_checks.h"
#include "objective/pairs.h"

namespace agro {
namespace {

class Copg final : public Objective {
 public:
  explicit Copg(const CopgOptions& options) : options_(options) { detail::require_positive(options.beta, "beta"); }

  std::string_view name() const override { return "copg"; }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups&) const override {
    const at::Tensor pairs = all_pairs(input.group);
    const at::Tensor difference = pair_difference(regularized_rewards(input, options_.beta), pairs);
    const at::Tensor loss = mean_over_pairs(difference.square(), pairs, input);
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("pair_gap", std::sqrt(loss.item<double>()));
    return {loss, std::move(metrics)};
  }

  CopgOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_copg(const CopgOptions& options) { return std::make_unique<Copg>(options); }

}  // namespace agro
