#include "objective/dpo.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/log_sigmoid.h>

#include "core/error.h"
#include "objective/diagnostics.h"
#include "objective/option_checks.h"

namespace agro {
namespace {

class Dpo final : public Objective {
 public:
  explicit Dpo(const DpoOptions& options) : options_(options) {
    detail::require_positive(options.beta, "beta");
    if (!(options.label_smoothing >= 0 && options.label_smoothing < 0.5))
      throw fail("label_smoothing must be in [0, 0.5), found {}", options.label_smoothing);
  }

  std::string_view name() const override { return "dpo"; }
  ObjectiveNeeds needs() const override { return {.pairs = options_.pairing == Pairing::kGiven}; }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups&) const override {
    const at::Tensor pairs = pairs_of(input, options_.pairing);
    const at::Tensor margin = pair_difference(log_ratio(input), pairs);
    const at::Tensor logit = options_.beta * margin;
    const double smoothing = options_.label_smoothing;
    const at::Tensor loss = -(1 - smoothing) * at::log_sigmoid(logit) - smoothing * at::log_sigmoid(-logit);
    Metrics metrics = common_metrics(input);
    add_pair_metrics(metrics, margin, options_.beta, pairs, input);
    return {mean_over_pairs(loss, pairs, input), std::move(metrics)};
  }

  DpoOptions options_;
};

}  // namespace

void add_pair_metrics(Metrics& metrics, const at::Tensor& margin, double beta, const at::Tensor& pairs,
                      const ObjectiveInput& input) {
  const at::Tensor precise = margin.detach().to(at::kDouble);
  metrics.emplace_back("pairs", static_cast<double>(pairs.size(0)));
  metrics.emplace_back("pair_accuracy", mean_over_pairs(precise.gt(0).to(at::kDouble), pairs, input).item<double>());
  metrics.emplace_back("pair_margin", mean_over_pairs(beta * precise, pairs, input).item<double>());
}

std::unique_ptr<Objective> make_dpo(const DpoOptions& options) { return std::make_unique<Dpo>(options); }

}  // namespace agro
