#include "objective/ipo.h"

#include <ATen/TensorOperators.h>

#include "objective/diagnostics.h"
#include "objective/dpo.h"
#include "objective/option_checks.h"

namespace agro {
namespace {

class Ipo final : public Objective {
 public:
  explicit Ipo(const IpoOptions& options) : options_(options) { detail::require_positive(options.beta, "beta"); }

  std::string_view name() const override { return "ipo"; }
  ObjectiveNeeds needs() const override { return {.pairs = options_.pairing == Pairing::kGiven}; }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups&) const override {
    const at::Tensor pairs = pairs_of(input, options_.pairing);
    const at::Tensor ratio =
        options_.length_normalize ? mean_per_response(input.logprobs - input.ref_logprobs, input) : log_ratio(input);
    const at::Tensor margin = pair_difference(ratio, pairs);
    Metrics metrics = common_metrics(input);
    add_pair_metrics(metrics, margin, options_.beta, pairs, input);
    return {mean_over_pairs((margin - 1 / (2 * options_.beta)).square(), pairs, input), std::move(metrics)};
  }

  IpoOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_ipo(const IpoOptions& options) { return std::make_unique<Ipo>(options); }

}  // namespace agro
