#include "objective/copg.h"

#include <ATen/TensorOperators.h>

#include <cmath>

#include "objective/agro.h"
#include "objective/diagnostics.h"
#include "objective/group.h"
#include "objective/option_checks.h"

namespace agro {
namespace {

class Copg final : public Objective {
 public:
  explicit Copg(const CopgOptions& options) : options_(options) { detail::require_positive(options.beta, "beta"); }

  std::string_view name() const override { return "copg"; }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    // The mean of (R_i - R_j)² over all pairs is twice the variance; a list of pairs would grow with the square of n.
    const at::Tensor loss = 2 * groups.variance(regularized_rewards(input, options_.beta)).mean();
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("pair_gap", std::sqrt(loss.item<double>()));
    return {loss, std::move(metrics)};
  }

  CopgOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_copg(const CopgOptions& options) { return std::make_unique<Copg>(options); }

}  // namespace agro
