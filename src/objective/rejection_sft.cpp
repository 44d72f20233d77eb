#include "objective/rejection_sft.h"

#include <ATen/TensorOperators.h>

#include "objective/diagnostics.h"
#include "objective/group.h"

namespace agro {
namespace {

class RejectionSft final : public Objective {
 public:
  explicit RejectionSft(const RejectionSftOptions& options) : options_(options) {}

  std::string_view name() const override { return "rejection_sft"; }
  ObjectiveNeeds needs() const override { return {.group_size = 1}; }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const at::Tensor accepted = input.rewards.gt(options_.reward_threshold);
    const at::Tensor logprob =
        options_.length_normalize ? mean_per_response(input.logprobs, input) : sum_per_response(input.logprobs, input);
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("accepted_fraction", accepted.to(at::kDouble).mean().item<double>());
    return {-groups.batch_mean(accepted.to(logprob.scalar_type()) * logprob), std::move(metrics)};
  }

  RejectionSftOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_rejection_sft(const RejectionSftOptions& options) {
  return std::make_unique<RejectionSft>(options);
}

}  // namespace agro
